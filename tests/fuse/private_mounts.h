#pragma once

#include <string>

#include "base/unique_fd.h"

namespace fuse_test {

/// A private mount namespace for this process to the end of the scope; its mounts do not propagate.
class PrivateMounts {
 public:
  PrivateMounts();
  PrivateMounts(const PrivateMounts&) = delete;
  PrivateMounts& operator=(const PrivateMounts&) = delete;
  ~PrivateMounts();
  /// Returns false if that was not allowed.
  [[nodiscard]] bool entered() const { return entered_; }

 private:
  base::UniqueFd before_;
  bool entered_;
};

/// Enters a private mount namespace permanently, in a child before it runs its program. Returns false if that
/// is not allowed.
[[nodiscard]] bool leave_mount_namespace();

/// Mounts an empty tmpfs over the folder `path`, with mount options as "size=16k". Returns false on failure.
[[nodiscard]] bool cover_with_tmpfs(const std::string& path, const std::string& options);

/// Bind-mounts `source` over `path`. Returns false on failure.
[[nodiscard]] bool cover_with(const std::string& source, const std::string& path);

/// Aborts a FUSE connection, even if its daemon hangs. `number` is the minor number of the device of its
/// files. Returns false if the file system fusectl is not available.
[[nodiscard]] bool abort_connection(unsigned number);

/// A mount that is detached at the end of the scope.
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
