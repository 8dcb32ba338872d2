#pragma once

#include <sys/stat.h>

#include <string>

#include "base/unique_fd.h"

namespace cuse {

/// Where a device is to be served: a name in a folder that was reached without following what another user
/// could have put there.
///
/// For root, each folder on the way has to belong to root, and no other user may be able to write to it. In a
/// sticky folder (/tmp) everybody can make files, but not exchange those of others: there, what exists has to
/// belong to root. A user other than root is only kept from following other users' links in sticky folders;
/// fusermount3(1) checks the rest.
struct DevicePath {
  std::string path;       ///< absolute, without symbolic links
  base::UniqueFd folder;  ///< of the name (O_PATH)
  struct stat folder_status {};

  [[nodiscard]] std::string name() const { return path.substr(path.rfind('/') + 1); }
};

/// Follows the path `device`, its last part too if that is a link. The last part may be missing, or a mount
/// of fbemud's, which is not touched, since nobody may answer there. Throws std::system_error with a sentence
/// that says what stands in the way, whose it is and what to do.
[[nodiscard]] DevicePath resolve_device(const std::string& device);

/// Throws std::system_error (EPERM) if `entry`, the last part of `device`, could have been put there by
/// another user.
void check_device_owner(const DevicePath& device, const struct stat& entry);

}  // namespace cuse
