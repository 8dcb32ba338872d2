#pragma once

#include <memory>
#include <optional>

#include "drmclient/mode.h"
#include "drmclient/system/memory_pressure.h"
#include "drmclient/system/virtual_terminals.h"
#include "fbemu/output/writing_programs.h"

namespace fbemu {

/// The fate of the picture after the last program closed the framebuffer.
enum class OnClose {
  /// The kernel's console returns: at once if a program had mapped the framebuffer, else (cat, dd) as soon as
  /// the VT is used again.
  console,
  /// The picture stays as long as its VT is active.
  keep,
};

/// The outputs of a card that show the framebuffer.
enum class Outputs {
  one,  ///< the chosen one
  all   ///< the chosen one, whose modes programs use, and every other connected output as a clone
};

/// The rules by which a framebuffer shares the screen, and the memory of the machine, with others.
struct ArbiterOptions {
  OnClose on_close = OnClose::console;
  Outputs outputs = Outputs::one;
  /// The virtual terminals; null if there are none. They must outlive the presenter, whose thread uses them.
  drmclient::VirtualTerminals* vts = nullptr;
  /// The default mode. A state with this mode is shown in the preferred mode of a monitor that is plugged in
  /// later.
  std::optional<drmclient::Mode> follow_monitor_mode;
  /// Reports when the card's mappings are to be released; lifetime as `vts`.
  drmclient::MemoryPressure* pressure = nullptr;
};

/// The programs that have the framebuffer open for writing.
struct Writers {
  unsigned count = 0;  ///< open files
  /// Null if the picture belongs to every VT.
  std::shared_ptr<WritingPrograms> programs;
  /// True if everything drawn since the first of these writers came by write(2).
  bool wrote_only = false;
};

}  // namespace fbemu
