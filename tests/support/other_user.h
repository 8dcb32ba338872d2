#pragma once

#include <grp.h>
#include <unistd.h>

namespace unit {

/// A user without files ("nobody"), for tests that run as root and need another user.
inline constexpr uid_t other_user = 65'534;

/// Changes the user of this process, a child of a test, to `other_user`. Returns false if that is not
/// allowed.
[[nodiscard]] inline bool become_other_user() {
  return ::setgroups(0, nullptr) == 0 && ::setresgid(other_user, other_user, other_user) == 0 &&
         ::setresuid(other_user, other_user, other_user) == 0;
}

}  // namespace unit
