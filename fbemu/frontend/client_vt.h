#pragma once

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <optional>

namespace fbemu {

/// The identity of a program that has the framebuffer open.
struct ProgramId {
  pid_t process = 0;               ///< 0 if the process is not known
  uint64_t start_time = 0;         ///< tells the process apart from a later one with the same number
  std::optional<unsigned> home{};  ///< the terminal to which it belongs from the start; without one: to each
  // NOLINTNEXTLINE(modernize-use-nullptr): the check takes the 0 of the generated code for a pointer
  friend auto operator<=>(const ProgramId&, const ProgramId&) = default;
};

/// The terminals to which a program belongs: it is shown while one of them is in front.
class ClientVt {
 public:
  ClientVt() = default;
  ClientVt(const ClientVt&) = delete;
  ClientVt& operator=(const ClientVt&) = delete;
  virtual ~ClientVt() = default;

  /// Returns the same value for each file that one program opens.
  [[nodiscard]] virtual const ProgramId& program() const = 0;
  /// Returns whether the program has the device of `terminal` open at this moment. Takes 1 from `budget` for
  /// the program and for each descriptor that it looks at, down to 0. Called on the presenter's thread.
  [[nodiscard]] virtual bool has_opened(unsigned terminal, unsigned& budget) const = 0;
};

}  // namespace fbemu
