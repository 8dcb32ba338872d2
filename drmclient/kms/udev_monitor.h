#pragma once

#include <functional>
#include <memory>
#include <string>

struct udev;
struct udev_monitor;

namespace drmclient {

/// The properties of a udev event of the subsystem drm.
struct UdevEvent {
  std::string action;   ///< ACTION: add, remove, change
  std::string devname;  ///< DEVNAME: the node, with or without "/dev/"
  std::string hotplug;  ///< HOTPLUG: "1" if outputs changed
};

/// Returns true if `event` reports that the outputs of the card at `path` may have changed, or that the card
/// was removed or added.
[[nodiscard]] bool concerns_outputs(const UdevEvent& event, const std::string& path);

/// A monitor for changed outputs. It receives udev's events of the subsystem drm, or the kernel's own events
/// if no udevd runs (containers).
class UdevMonitor {
 public:
  /// Starts to receive the events of the card at `path`. Throws std::system_error.
  explicit UdevMonitor(std::string path);
  UdevMonitor(const UdevMonitor&) = delete;
  UdevMonitor& operator=(const UdevMonitor&) = delete;
  ~UdevMonitor() = default;

  /// Returns a descriptor that is readable if there is an event.
  [[nodiscard]] int descriptor() const;
  /// Reads all pending events. Returns true if concerns_outputs() is true for one of them. Does not block.
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
