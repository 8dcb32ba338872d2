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

/// The framebuffer as a true character device, made with CUSE: the identity of the node (its number, its
/// entry in sysfs), unrestricted ioctls, sequential read and write, poll. CUSE has neither mmap nor file
/// offsets, so the FUSE file is mounted over its node, and programs come here only by other ways to the
/// device number.
class CuseDevice final : public Session {
 public:
  /// What the device needs of the kernel, and the time to end in; tests need neither /dev/cuse nor that time.
  struct Environment {
    /// Returns the channel, which does not block. Throws std::system_error.
    std::function<base::UniqueFd()> open_channel;
    /// The number of the registered device, whose node is at `path` and open to the group of displays;
    /// nothing if the kernel did not register it.
    std::function<std::optional<dev_t>(const std::string& path)> find_node;
    std::chrono::milliseconds stop_timeout{5000};
  };
  /// /dev/cuse, sysfs and devtmpfs.
  [[nodiscard]] static Environment kernel();

  /// `path` is the node to be: right in /dev, not there yet. start() registers the device: /dev/fbN as 29:N
  /// if the kernel's own framebuffers leave that number free, else with a dynamic number. It returns when the
  /// node is there, owned by the group of displays.
  CuseDevice(fbemu::Framebuffer& framebuffer, std::string path, IoctlWorkers& ioctl_workers,
             Environment environment = kernel());
  /// Ends the process if a thread does not end: it would use what is destroyed afterwards.
  ~CuseDevice() override;

  /// Whether there can be such a device at `path` on a system with /dev/cuse: root, a name right in /dev that
  /// is free.
  [[nodiscard]] static bool possible_at(const std::string& path);

  /// From now on read and write go to `file`, open for both on the FUSE file.
  void connect(base::UniqueFd file) { requests_.connect(std::move(file)); }
  /// Takes the device away and ends the threads; false if one did not end in time.
  [[nodiscard]] bool stop(std::chrono::milliseconds timeout) { return stop_threads(timeout); }

  /// The device number, as "29:0".
  [[nodiscard]] std::string number() const;

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
