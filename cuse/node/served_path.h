#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"
#include "cuse/node/node_lock.h"

namespace cuse {

/// The file that the mount of the framebuffer covers: an existing character device or plain file, or a plain
/// file made for it, which is removed with the lock.
class ServedPath {
 public:
  /// Opens or makes the file at the path of `lock`, which must outlive this object. Throws std::system_error
  /// with a sentence that names the obstacle: no permission, a file that is no device or that another user
  /// made, a full disk.
  explicit ServedPath(NodeLock& lock);

  /// Returns the lowest /dev/fbN that does not exist, or that a killed daemon left. Throws std::system_error
  /// if all of 0 to 31 are taken, StopRequested if a signal ends the wait for a daemon.
  [[nodiscard]] static std::string first_free_device();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Returns the open file (O_PATH for an existing one), so that no other file can take its place before the
  /// mount.
  [[nodiscard]] int descriptor() const { return file_.get(); }
  /// Returns true if the file was made because nothing existed.
  [[nodiscard]] bool created() const { return created_; }

  /// Return owner and permissions of the served file: those of the covered file. A new file has 0660
  /// root:video, or 0600 if the user is not root.
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

/// Returns the group of display devices, "video", or the group of the process if there is none.
[[nodiscard]] gid_t display_group();

/// The permissions that udev's rules give to display devices.
inline constexpr mode_t display_permissions = 0660;

}  // namespace cuse
