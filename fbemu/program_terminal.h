#pragma once

namespace fbemu {

/// The terminal for which a program opened the framebuffer: it is shown while that one is in front. Asked on
/// the presenter's thread.
class ProgramTerminal {
 public:
  ProgramTerminal() = default;
  ProgramTerminal(const ProgramTerminal&) = delete;
  ProgramTerminal& operator=(const ProgramTerminal&) = delete;
  virtual ~ProgramTerminal() = default;

  /// Whether it is the one with the number `front`, as things are now.
  [[nodiscard]] virtual bool is(unsigned front) const = 0;
};

}  // namespace fbemu
