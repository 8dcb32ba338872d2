#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "cuse/session/cuse_requests.h"
#include "cuse/session/session.h"
#include "fbemu/framebuffer.h"

namespace cuse {

/// The framebuffer as a real character device, made with CUSE. It provides the identity of the node (its
/// number, its entry in sysfs), unrestricted ioctls, sequential read and write, and poll. CUSE has neither
/// mmap nor file offsets, so the FUSE file is mounted over its node. Programs reach this device only through
/// other nodes with its number.
class CuseDevice final : public Session {
 public:
  /// The kernel's interfaces and the time limit of the destructor, which tests replace.
  struct Environment {
    /// Returns the non-blocking channel. Throws std::system_error.
    std::function<base::UniqueFd()> open_channel;
    /// Returns the number of the registered device and opens its node at `path` to the display group. Returns
    /// nothing if the kernel did not register the device.
    std::function<std::optional<dev_t>(const std::string& path)> find_node;
    std::chrono::milliseconds stop_timeout{5000};
  };
  /// Returns the environment with /dev/cuse, sysfs and devtmpfs.
  [[nodiscard]] static Environment kernel();

  /// `path` is that of the new node, right in /dev, which must not exist yet. start() registers the device:
  /// /dev/fbN as 29:N if the kernel's framebuffers leave that number free, else with a dynamic number. It
  /// returns when the node exists and belongs to the display group.
  CuseDevice(fbemu::Framebuffer& framebuffer, std::string path, IoctlWorkers& ioctl_workers,
             Environment environment = kernel());
  /// Ends the process if a thread does not end, because the thread would use destroyed objects.
  ~CuseDevice() override;
  CuseDevice(const CuseDevice&) = delete;
  CuseDevice& operator=(const CuseDevice&) = delete;

  /// Returns true if a system with /dev/cuse allows such a device at `path`: the user is root, and the path
  /// is right in /dev and unused.
  [[nodiscard]] static bool possible_at(const std::string& path);

  /// Directs reads and writes to `file`, the FUSE file open for both.
  void connect(base::UniqueFd file) { requests_.connect(std::move(file)); }
  /// Removes the device and ends the threads. Returns false if one did not end in time.
  [[nodiscard]] bool stop(std::chrono::milliseconds timeout) { return stop_threads(timeout); }

  /// Returns the device number, as "29:0".
  [[nodiscard]] std::string number() const;
  /// Returns the device number.
  [[nodiscard]] dev_t device() const { return device_; }

 private:
  FuseSession open() override;
  void prepared() override {}
  void ended(const SessionEnd& end) override;
  void check_node() noexcept;

  std::string path_;
  Environment environment_;
  CuseRequests requests_;
  dev_t device_ = 0;
};

}  // namespace cuse
