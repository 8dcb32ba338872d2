#pragma once

#include <functional>
#include <memory>
#include <string>

struct udev;
struct udev_monitor;

namespace drmclient {

/// The properties of one udev event of the subsystem drm.
struct UdevEvent {
  std::string action;   ///< ACTION: add, remove, change
  std::string devname;  ///< DEVNAME: the node, with or without /dev/
  std::string hotplug;  ///< HOTPLUG: "1" where outputs changed
};

/// Whether `event` says that the outputs of the card at `path` may have changed, or that it was removed or
/// came back.
[[nodiscard]] bool concerns_outputs(const UdevEvent& event, const std::string& path);

/// Hears of outputs that come and go: udev's events of the subsystem drm, or the kernel's own where no udevd
/// runs (containers).
class UdevMonitor {
 public:
  /// Throws std::system_error.
  explicit UdevMonitor(std::string path);
  UdevMonitor(const UdevMonitor&) = delete;
  UdevMonitor& operator=(const UdevMonitor&) = delete;
  ~UdevMonitor() = default;

  /// Readable when there is an event.
  [[nodiscard]] int descriptor() const;
  /// Takes all events that have come; true where one of them concerns_outputs(). Does not block.
  [[nodiscard]] bool read();

 private:
  struct Unref {
    void operator()(udev* context) const;
    void operator()(udev_monitor* monitor) const;
  };
  std::string path_;
  std::unique_ptr<udev, Unref> udev_;
  std::unique_ptr<udev_monitor, Unref> monitor_;
};

}  // namespace drmclient
