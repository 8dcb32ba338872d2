#pragma once

#include <cstdint>
#include <unordered_map>

namespace fbemu {

/// A bound on the open files of each user, because the daemon keeps memory for each of them. Not thread-safe.
class OpenFileLimit {
 public:
  static constexpr unsigned most_of_a_user = 4096;
  /// Root runs services for many users.
  static constexpr unsigned most_of_root = 65'536;

  /// Counts a file that `user` opens. Returns 0, or EMFILE if the user has as many open as one may.
  [[nodiscard]] int take(uint32_t user);
  /// Ends what take() counted.
  void release(uint32_t user);

 private:
  std::unordered_map<uint32_t, unsigned> files_;  ///< of each user who has any
  bool told_ = false;
};

}  // namespace fbemu
