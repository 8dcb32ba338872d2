#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/result.h"

namespace fbemu {

/// A limit on the open files of each user, because each open file costs the daemon memory. Not thread-safe.
class OpenFileLimit {
 public:
  static constexpr unsigned most_of_a_user = 4096;
  /// Larger, because services for many users run as root.
  static constexpr unsigned most_of_root = 65'536;

  /// Counts a file that `user` opens. Errors: EMFILE if the user has reached the limit.
  [[nodiscard]] base::Result<void> take(uint32_t user);
  /// Ends the count of a file that take() accepted.
  void release(uint32_t user);

 private:
  std::unordered_map<uint32_t, unsigned> files_;  ///< open files of each user that has any
  bool has_warned_ = false;
};

}  // namespace fbemu
