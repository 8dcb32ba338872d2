#pragma once

#include <memory>
#include <optional>

#include "drmclient/mode.h"
#include "drmclient/system/memory_pressure.h"
#include "drmclient/system/virtual_terminals.h"
#include "fbemu/output/writing_programs.h"

namespace fbemu {

/// What becomes of the picture when the last program has closed the framebuffer.
enum class OnClose {
  /// The kernel's console comes back: at once where the program had mapped the framebuffer, when the terminal
  /// is used again where the picture was written (cat, dd).
  console,
  /// The picture stays for as long as the terminal is in front.
  keep,
};

/// Which outputs of a card show the framebuffer.
enum class Outputs {
  one,  ///< the one that was chosen
  all   ///< that one, whose modes programs choose from, and every other that is connected (clone)
};

/// How a framebuffer shares the screen, and the memory of the machine, with others.
struct ArbiterOptions {
  OnClose on_close = OnClose::console;
  Outputs outputs = Outputs::one;
  /// Must outlive the presenter, whose thread uses it; null: there are none.
  drmclient::VirtualTerminals* vts = nullptr;
  /// The mode of states for which nobody asked for one.
  std::optional<drmclient::Mode> follow_monitor_mode;
  /// Tells when the card's mappings are to be let go; as `vts`.
  drmclient::MemoryPressure* pressure = nullptr;
};

/// The programs that have the framebuffer open for writing.
struct Writers {
  unsigned count = 0;  ///< open files
  /// Null if they are to be seen on every terminal.
  std::shared_ptr<WritingPrograms> programs;
  /// All that was drawn since there were no writers came by write(2).
  bool wrote_only = false;
};

}  // namespace fbemu
