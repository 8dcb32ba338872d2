#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "cuse/ioctl_calls.h"
#include "cuse/session_threads.h"
#include "drmclient/unique_fd.h"
#include "fbemu/framebuffer.h"

namespace cuse {

/// The file that programs open.
struct ServedFile {
  std::string path;  ///< to mount on: a plain file or a character device
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t permissions = 0660;
  int mount_point = -1;  ///< what to mount on, open with O_PATH; -1: what is at `path`
};

/// Serves a framebuffer as a FUSE mount whose root is a regular file, mounted right over the device node.
///
/// Its threads have a table of descriptors of their own, in which the FUSE channel is: when the process is
/// killed while another thread (the presenter) waits in the kernel for pages to be written back, that thread
/// does not keep the channel open, the kernel gives up on the mount, and the process can die. Hence
/// everything that touches the channel runs on these threads; answers that come from elsewhere are handed to
/// them. No thread waits for a vblank.
class FuseServer : private SessionData {
 public:
  /// What is used instead of a mount and the time to end in; tests need neither kernel nor patience.
  struct Environment {
    /// Returns the channel; called on the thread that serves it, with a table of descriptors of its own.
    std::function<drmclient::UniqueFd()> open_channel;
    std::chrono::milliseconds patience_at_end{5000};
  };

  FuseServer(fbemu::Framebuffer& framebuffer, ServedFile file, ProgramThreads& program_threads);
  FuseServer(fbemu::Framebuffer& framebuffer, ServedFile file, ProgramThreads& program_threads,
             Environment environment);
  /// Ends the process if a thread does not end: it would use what is destroyed afterwards.
  ~FuseServer();
  FuseServer(const FuseServer&) = delete;
  FuseServer& operator=(const FuseServer&) = delete;

  /// Mounts and starts serving. Throws std::system_error with a sentence that says what is missing.
  void start();

  /// Opens the served file with `flags` (O_RDONLY or O_RDWR) for the daemon itself; not counted as a
  /// program's, and its close does not write pages back. Throws std::system_error.
  [[nodiscard]] drmclient::UniqueFd open_own(int flags);

  /// Readable when the mount has ended without stop(); end() says why.
  [[nodiscard]] int ended_descriptor() const { return ended_event_.get(); }
  [[nodiscard]] SessionEnd end() const;

  /// Takes the mount away (programs keep what they have mapped), answers what has come, and ends the threads.
  /// False where a thread did not end in time; then the process can only exit without destroying this object.
  [[nodiscard]] bool stop(std::chrono::milliseconds patience);

 private:
  friend struct FuseOperations;

  void run(std::promise<void> mounted);
  void report_end(const SessionEnd& end);
  void separate_descriptors() const;
  void mount();
  void mount_as_root();
  void take_channel(drmclient::UniqueFd channel);

  fbemu::Framebuffer& framebuffer_;
  ServedFile file_;
  Environment environment_;
  std::chrono::system_clock::time_point start_time_;
  drmclient::UniqueFd ended_event_;
  SessionThreads threads_{"fuse"};
  IoctlCalls ioctl_calls_;
  std::atomic<pid_t> own_opener_{0};
  bool started_ = false;
  bool detached_ = false;
  fuse_session* session_ = nullptr;  ///< used by the threads with the channel only

  mutable std::mutex mutex_;  ///< for file_, whose attributes can be changed, open_files_ and end_
  /// The open files by handle. For those that are still open at the end the kernel sends no release.
  std::unordered_map<uint64_t, std::shared_ptr<void>> open_files_;
  SessionEnd end_;

  std::thread thread_;
  std::future<void> finished_;
};

}  // namespace cuse
