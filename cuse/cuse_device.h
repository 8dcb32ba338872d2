#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include "cuse/ioctl_calls.h"
#include "cuse/session_threads.h"
#include "drmclient/unique_fd.h"
#include "fbemu/framebuffer.h"

namespace cuse {

/// The framebuffer as a true character device, made with CUSE: the identity of the node (its number, its
/// entry in sysfs), unrestricted ioctls, sequential read and write, poll. CUSE has neither mmap nor file
/// offsets, so the FUSE file is mounted over its node, and programs come here only by other ways to the
/// device number.
///
/// read and write go through the FUSE file like any program's, so that both ways see the same pixels at once.
class CuseDevice : private SessionData {
 public:
  /// What the device needs of the kernel, and the time to end in; tests need neither /dev/cuse nor patience.
  struct Environment {
    /// Returns the channel, which does not block. Throws std::system_error.
    std::function<drmclient::UniqueFd()> open_channel;
    /// The number of the registered device, whose node is at `path` and open to the group of displays;
    /// nothing if the kernel did not register it.
    std::function<std::optional<dev_t>(const std::string& path)> find_node;
    std::chrono::milliseconds patience_at_end{5000};
  };
  /// /dev/cuse, sysfs and devtmpfs.
  [[nodiscard]] static Environment kernel();

  /// `path` is the node to be: right in /dev, not there yet.
  CuseDevice(fbemu::Framebuffer& framebuffer, std::string path, ProgramThreads& program_threads,
             Environment environment = kernel());
  /// Ends the process if a thread does not end: it would use what is destroyed afterwards.
  ~CuseDevice();
  CuseDevice(const CuseDevice&) = delete;
  CuseDevice& operator=(const CuseDevice&) = delete;

  /// Whether there can be such a device at `path` on a system with /dev/cuse: root, a name right in /dev that
  /// is free.
  [[nodiscard]] static bool possible_at(const std::string& path);

  /// Registers the device: /dev/fbN as 29:N where the kernel's own framebuffers leave that number free, else
  /// with a dynamic number. Returns when the node is there, owned by the group of displays. Throws
  /// std::system_error.
  void start();
  /// From now on read and write go to `file`, open for both on the FUSE file.
  void connect(drmclient::UniqueFd file);
  /// Takes the device away and ends the threads; false where one did not end in time.
  [[nodiscard]] bool stop(std::chrono::milliseconds patience);

  /// The device number, as "29:0".
  [[nodiscard]] std::string number() const;

 private:
  friend struct CuseOperations;

  /// CUSE passes no file offsets: each system call starts at 0 and is cut into pieces at rising offsets.
  struct OpenFile {
    uint64_t call_start = 0;  ///< position at which the system call under way started
    uint64_t position = 0;
    fbemu::Opener opener;
  };

  void run(std::promise<void> registered);
  void open_session();
  void check_node() noexcept;
  ssize_t transfer(uint64_t handle, off_t offset, bool into_file, void* bytes, size_t size);

  fbemu::Framebuffer& framebuffer_;
  std::string path_;
  Environment environment_;
  SessionThreads threads_{"cuse"};
  IoctlCalls ioctl_calls_;
  drmclient::UniqueFd file_;
  std::atomic<int> connected_file_{-1};
  fuse_session* session_ = nullptr;
  std::promise<void>* registered_ = nullptr;  ///< until the node was looked for
  dev_t device_ = 0;
  bool started_ = false;

  std::mutex mutex_;
  std::unordered_map<uint64_t, OpenFile> open_files_;
  uint64_t last_handle_ = 0;

  std::thread thread_;
  std::future<void> finished_;
};

}  // namespace cuse
