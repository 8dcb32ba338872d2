#pragma once

#include <sys/stat.h>

#include <string>

#include "base/unique_fd.h"

namespace cuse {

/// The place to serve a device: a name in a folder, on a path that no other user could have redirected.
///
/// For root, each folder on the path must belong to root, and no other user may be able to write to it. In a
/// sticky folder (/tmp) all users can make files, but not exchange those of others; an entry there must
/// belong to root. For other users only other users' links in sticky folders are refused; fusermount3(1)
/// checks the rest.
struct DevicePath {
  std::string path;       ///< absolute, without symbolic links
  base::UniqueFd folder;  ///< folder of the last part (O_PATH)
  struct stat folder_status {};

  [[nodiscard]] std::string name() const { return path.substr(path.rfind('/') + 1); }
};

/// Follows the path `device`, including its last part if that is a link. The last part may be missing. A
/// mount of fbemud there is not accessed, because its daemon may not answer. Throws std::system_error with a
/// sentence that names the obstacle, its owner and a remedy.
[[nodiscard]] DevicePath resolve_device(const std::string& device);

/// Throws std::system_error (EPERM) if `entry`, the last part of `device`, could have been put there by
/// another user.
void check_device_owner(const DevicePath& device, const struct stat& entry);

}  // namespace cuse
