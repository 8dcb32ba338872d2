#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "base/unique_fd.h"
#include "cuse/node/device_path.h"

namespace cuse {

/// The right to serve one path: a locked file in the runtime directory. The daemon and its guard hold the
/// lock together, so no second daemon takes the path before the guard has cleaned up.
///
/// The file is for its owner only, so no other user can hold the lock. Still, the wait for the lock ends
/// after `timeout`, or with a signal.
///
/// The file also records the file that was made to be mounted on. If the lock is free but the file has a
/// record, daemon and guard were killed, and the record names the file to remove.
class NodeLock {
 public:
  /// Locks `device`, and removes the mount and the file that a killed daemon left there. Throws
  /// std::system_error with a sentence that names the obstacle: a missing folder, another daemon. Throws
  /// StopRequested if a signal ends the wait for a daemon that is ending or does not answer.
  explicit NodeLock(const std::string& device, std::chrono::milliseconds timeout = guard_timeout);
  ~NodeLock();
  NodeLock(const NodeLock&) = delete;
  NodeLock& operator=(const NodeLock&) = delete;

  /// Returns the path to serve: absolute, without symbolic links.
  [[nodiscard]] const std::string& path() const { return device_.path; }
  [[nodiscard]] const DevicePath& device() const { return device_; }

  [[nodiscard]] const std::string& lock_path() const { return lock_path_; }

  /// Records the file that was made at path(). Throws std::system_error (a full disk).
  void record_file(dev_t device, ino_t inode);
  /// Removes the recorded file if it is still the one at path(), and the lock. The destructor calls it too.
  /// The guard may call it, because it reads the record in the file and not a member.
  void release();

 private:
  /// Timeout of the lock; longer than a guard needs to clean up on a busy machine.
  static constexpr std::chrono::milliseconds guard_timeout{5000};

  void lock();
  [[nodiscard]] base::UniqueFd open_file() const;
  void wait_for(const base::UniqueFd& file) const;
  void write_record(const std::string& record);
  void clear_stale_mount() const;
  void remove_recorded_file() const;

  DevicePath device_;
  std::string lock_path_;
  std::chrono::milliseconds timeout_;
  base::UniqueFd lock_;
};

}  // namespace cuse
