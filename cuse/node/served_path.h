#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"
#include "cuse/node/node_lock.h"

namespace cuse {

/// The place in the file system where the framebuffer is served: an existing character device or plain file,
/// which the mount covers, or a plain file made for it; that one is removed with the lock.
class ServedPath {
 public:
  /// Takes the path of `lock`, which must outlive the node. Throws std::system_error with a sentence that
  /// says what stands in the way: no permission, something that is no device or that another user put there,
  /// a full disk.
  explicit ServedPath(NodeLock& lock);

  /// Returns the lowest /dev/fbN that does not exist, or that a killed daemon left behind. Throws
  /// std::system_error if 0..31 are all taken, StopRequested if a signal ends the wait for one's daemon.
  [[nodiscard]] static std::string first_free_device();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// The file itself, open, so that nothing can take its place before it is mounted on.
  [[nodiscard]] int descriptor() const { return file_.get(); }
  /// A file was made, since there was nothing.
  [[nodiscard]] bool created() const { return created_; }

  /// Owner and permissions that the served file has: those of what it covers; of a new one 0660 root:video,
  /// or 0600 where the user is not root.
  [[nodiscard]] uid_t uid() const { return uid_; }
  [[nodiscard]] gid_t gid() const { return gid_; }
  [[nodiscard]] mode_t permissions() const { return permissions_; }

 private:
  void create_file(NodeLock& lock);

  std::string path_;
  base::UniqueFd file_;
  bool created_ = false;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  mode_t permissions_ = 0;
};

/// The group of display devices, "video"; ours where there is none.
[[nodiscard]] gid_t display_group();

/// The permissions of display devices as udev's rules have them.
inline constexpr mode_t display_permissions = 0660;

}  // namespace cuse
