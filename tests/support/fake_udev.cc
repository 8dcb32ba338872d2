// The functions of libudev that drmclient calls; the events are those of the FakeDrm.
#include <libudev.h>

#include <unistd.h>
#include <cstdint>
#include <string>

#include "tests/support/fake_drm.h"

using unit::FakeDrm;

struct udev {};
struct udev_monitor {};
struct udev_device {
  FakeDrm::Uevent event;
};

namespace {

udev the_udev;
udev_monitor the_monitor;

}  // namespace

extern "C" {

udev* udev_new() {
  return &the_udev;
}

udev* udev_unref(udev*) {
  return nullptr;
}

udev_monitor* udev_monitor_new_from_netlink(udev*, const char*) {
  return &the_monitor;
}

udev_monitor* udev_monitor_unref(udev_monitor*) {
  return nullptr;
}

int udev_monitor_filter_add_match_subsystem_devtype(udev_monitor*, const char*, const char*) {
  return 0;
}

int udev_monitor_enable_receiving(udev_monitor*) {
  return 0;
}

int udev_monitor_get_fd(udev_monitor*) {
  return FakeDrm::current().uevent_descriptor.get();
}

udev_device* udev_monitor_receive_device(udev_monitor*) {
  FakeDrm& card = FakeDrm::current();
  uint64_t count = 0;
  static_cast<void>(::read(card.uevent_descriptor.get(), &count, sizeof count));
  if (card.uevents.empty()) return nullptr;
  auto* device = new udev_device{card.uevents.front()};
  card.uevents.erase(card.uevents.begin());
  return device;
}

udev_device* udev_device_unref(udev_device* device) {
  delete device;
  return nullptr;
}

const char* udev_device_get_property_value(udev_device* device, const char* key) {
  const std::string name = key;
  if (name == "ACTION") return device->event.action.c_str();
  if (name == "DEVNAME") return device->event.devname.c_str();
  return name == "HOTPLUG" ? device->event.hotplug.c_str() : nullptr;
}

}  // extern "C"
