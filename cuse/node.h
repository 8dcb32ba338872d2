#pragma once

#include <sys/types.h>

#include <string>

#include "drmclient/unique_fd.h"

namespace cuse {

/// The place in the file system where the framebuffer is served: an existing character device or plain file,
/// which the mount covers, or a plain file made for it and removed at the end. Holds the lock on that place
/// for its life, so that no second daemon takes it.
class Node {
 public:
  /// Takes `device`. A mount that a killed daemon left on it is removed first. Throws std::system_error with
  /// a sentence that says what stands in the way: a missing folder, no permission, something that is no
  /// device, another daemon.
  explicit Node(const std::string& device);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// The lowest /dev/fbN that does not exist, or that a killed daemon left behind. Throws std::system_error
  /// where 0..31 are all taken.
  [[nodiscard]] static std::string first_free_device();

  /// Absolute, without symbolic links.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool created() const { return created_; }
  [[nodiscard]] const std::string& lock_path() const { return lock_path_; }

  /// Owner and permissions that the served file has: those of what it covers; of a new one 0660 root:video,
  /// or 0600 where the user is not root.
  [[nodiscard]] uid_t uid() const { return uid_; }
  [[nodiscard]] gid_t gid() const { return gid_; }
  [[nodiscard]] mode_t permissions() const { return permissions_; }

  /// Removes the file if it was made here, and the lock. Called again by the destructor.
  void remove();

 private:
  void lock();
  void clear_stale_mount();
  void take_path();
  void create_file();
  void record_creation();
  [[nodiscard]] bool was_created_by_killed_daemon(dev_t device, ino_t inode) const;

  std::string path_;
  std::string lock_path_;
  drmclient::UniqueFd lock_;
  std::string lock_record_;  ///< what the last holder of the lock wrote
  bool created_ = false;
  dev_t file_device_ = 0;
  ino_t file_inode_ = 0;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  mode_t permissions_ = 0;
};

}  // namespace cuse
