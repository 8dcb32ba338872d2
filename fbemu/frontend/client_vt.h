#pragma once

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <optional>

namespace fbemu {

/// The identity of a program that has the framebuffer open.
struct ProgramId {
  pid_t process = 0;               ///< 0 if unknown
  uint64_t start_time = 0;         ///< distinguishes the process from a later one with the same pid
  std::optional<unsigned> home{};  ///< the VT on which it started; nothing: it is shown on every VT
  // NOLINTNEXTLINE(modernize-use-nullptr): the check mistakes the generated 0 for a pointer
  friend auto operator<=>(const ProgramId&, const ProgramId&) = default;
};

/// The virtual terminals (VTs) of a program. The program is shown while one of them is the active VT.
class ClientVt {
 public:
  ClientVt() = default;
  ClientVt(const ClientVt&) = delete;
  ClientVt& operator=(const ClientVt&) = delete;
  virtual ~ClientVt() = default;

  /// Returns the program's identity, which is equal for all files that the program opens.
  [[nodiscard]] virtual const ProgramId& program() const = 0;
  /// Returns true if the program has the device of VT `terminal` open now. Subtracts 1 from `budget` for the
  /// program and for each descriptor examined, and stops at 0. Called on the presenter's thread.
  [[nodiscard]] virtual bool has_opened(unsigned terminal, unsigned& budget) const = 0;
};

}  // namespace fbemu
