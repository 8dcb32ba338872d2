#pragma once

#include <string>

#include "base/unique_fd.h"

namespace fuse_test {

/// A mount namespace of its own for this process to the end of the scope; nothing in it reaches the others.
class PrivateMounts {
 public:
  PrivateMounts();
  PrivateMounts(const PrivateMounts&) = delete;
  PrivateMounts& operator=(const PrivateMounts&) = delete;
  ~PrivateMounts();
  /// False where that is not allowed.
  [[nodiscard]] bool entered() const { return entered_; }

 private:
  base::UniqueFd before_;
  bool entered_;
};

/// The same for good, in a child before it runs its program. Returns false
/// where that is not allowed.
[[nodiscard]] bool leave_mount_namespace();

/// Puts an empty file system in memory over the folder `path`, with mount options as "size=16k". False where
/// that fails.
[[nodiscard]] bool cover_with_tmpfs(const std::string& path, const std::string& options);

/// Puts what is at `source` over `path`. False where that fails.
[[nodiscard]] bool cover_with(const std::string& source, const std::string& path);

/// Ends a FUSE connection, whoever hangs in it, by the kernel's interface for that; `number` is the minor
/// number of the device of its files. False where the file system fusectl cannot be had.
[[nodiscard]] bool abort_connection(unsigned number);

/// Takes a mount away at the end of the scope.
class Unmounting {
 public:
  explicit Unmounting(std::string path) : path_(std::move(path)) {}
  Unmounting(const Unmounting&) = delete;
  Unmounting& operator=(const Unmounting&) = delete;
  ~Unmounting();

 private:
  std::string path_;
};

}  // namespace fuse_test
