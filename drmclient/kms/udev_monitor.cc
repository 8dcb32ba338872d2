#include "drmclient/kms/udev_monitor.h"

#include <libudev.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace drmclient {
namespace {

struct DeviceUnref {
  void operator()(udev_device* device) const { ::udev_device_unref(device); }
};
using Device = std::unique_ptr<udev_device, DeviceUnref>;

std::string property(udev_device* device, const char* name) {
  const char* value = ::udev_device_get_property_value(device, name);
  return value != nullptr ? value : "";
}

std::string without_dev(const std::string& path) {
  const std::string folder = "/dev/";
  return path.starts_with(folder) ? path.substr(folder.size()) : path;
}

[[noreturn]] void fail(int code) {
  throw std::system_error(code, std::generic_category(), "cannot receive udev events");
}

}  // namespace

bool concerns_outputs(const UdevEvent& event, const std::string& path) {
  if (without_dev(event.devname) != without_dev(path)) return false;
  return event.action == "remove" || event.action == "add" ||
         (event.action == "change" && event.hotplug == "1");
}

void UdevMonitor::Unref::operator()(udev* context) const {
  ::udev_unref(context);
}

void UdevMonitor::Unref::operator()(udev_monitor* monitor) const {
  ::udev_monitor_unref(monitor);
}

UdevMonitor::UdevMonitor(std::string path) : path_(std::move(path)), udev_(::udev_new()) {
  if (!udev_) fail(ENOMEM);
  const bool udevd_runs = ::access("/run/udev/control", F_OK) == 0;
  monitor_.reset(::udev_monitor_new_from_netlink(udev_.get(), udevd_runs ? "udev" : "kernel"));
  if (!monitor_) fail(errno != 0 ? errno : ENOMEM);
  int returned = ::udev_monitor_filter_add_match_subsystem_devtype(monitor_.get(), "drm", nullptr);
  if (returned >= 0) returned = ::udev_monitor_enable_receiving(monitor_.get());
  if (returned < 0) fail(-returned);
}

int UdevMonitor::descriptor() const {
  return ::udev_monitor_get_fd(monitor_.get());
}

bool UdevMonitor::read() {
  bool concerned = false;
  while (const Device device{::udev_monitor_receive_device(monitor_.get())}) {
    const UdevEvent event{property(device.get(), "ACTION"), property(device.get(), "DEVNAME"),
                          property(device.get(), "HOTPLUG")};
    concerned = concerned || concerns_outputs(event, path_);
  }
  return concerned;
}

}  // namespace drmclient
