#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "base/unique_fd.h"
#include "cuse/node/device_path.h"

namespace cuse {

/// The right to serve one path: a locked file in the runtime directory, held by the daemon and its guard
/// together, so that no second daemon takes the path, and none before the guard has cleaned up.
///
/// The file is for its owner only, so that no other user can hold the lock. The wait for the lock ends after
/// `timeout` all the same, or with a signal.
///
/// The file also records which file was made for the mount to lie on. Whoever finds the lock free but a
/// record in the file knows that its writers were killed, and what they left.
class NodeLock {
 public:
  /// Locks `device`, and removes what a killed daemon left there: its mount, and the file that it made.
  /// Throws std::system_error with a sentence that says what stands in the way: a missing folder, another
  /// daemon. Throws StopRequested if a signal ends the wait for a daemon that ends, or does not answer.
  explicit NodeLock(const std::string& device, std::chrono::milliseconds timeout = guard_timeout);
  ~NodeLock();
  NodeLock(const NodeLock&) = delete;
  NodeLock& operator=(const NodeLock&) = delete;

  /// The path that is served: absolute, without symbolic links.
  [[nodiscard]] const std::string& path() const { return device_.path; }
  [[nodiscard]] const DevicePath& device() const { return device_; }

  [[nodiscard]] const std::string& lock_path() const { return lock_path_; }

  /// Records the file that was made at path(). Throws std::system_error (a full disk).
  void record_file(dev_t device, ino_t inode);
  /// Removes the recorded file if it is still the one at path(), and the lock. Called again by the
  /// destructor. The guard may call it too: it goes by the record, not by what this object knows.
  void release();

 private:
  /// Longer than a guard needs to clean up on a busy machine.
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
