// The functions of libudev that drmclient calls; the devices and events are those of the FakeDrm.
#include <libudev.h>

#include <fnmatch.h>
#include <unistd.h>
#include <cstdint>
#include <fstream>
#include <list>
#include <string>

#include "tests/support/fake_drm.h"

using unit::FakeDrm;

struct udev {};
struct udev_monitor {};
struct udev_device {
  FakeDrm::Uevent event;
  FakeDrm::Device device;
};
struct udev_list_entry {
  std::string name;
  udev_list_entry* next = nullptr;
};
struct udev_enumerate {
  std::string pattern;
  std::list<udev_list_entry> entries;
};

namespace {

udev the_udev;
udev_monitor the_monitor;

}  // namespace

void unit::FakeDrm::add_device(const std::string& name) {
  std::ofstream(device_path(name)).put('x');
  devices.push_back({name, device_path(name)});
}

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
  auto* device = new udev_device{card.uevents.front(), {}};
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

udev_enumerate* udev_enumerate_new(udev*) {
  return new udev_enumerate;
}

udev_enumerate* udev_enumerate_unref(udev_enumerate* enumeration) {
  delete enumeration;
  return nullptr;
}

int udev_enumerate_add_match_subsystem(udev_enumerate*, const char*) {
  return 0;
}

int udev_enumerate_add_match_sysname(udev_enumerate* enumeration, const char* pattern) {
  enumeration->pattern = pattern;
  return 0;
}

int udev_enumerate_scan_devices(udev_enumerate* enumeration) {
  for (const FakeDrm::Device& device : FakeDrm::current().devices) {
    if (::fnmatch(enumeration->pattern.c_str(), device.name.c_str(), 0) != 0) continue;
    udev_list_entry* const last = enumeration->entries.empty() ? nullptr : &enumeration->entries.back();
    enumeration->entries.push_back({device.name, nullptr});
    if (last != nullptr) last->next = &enumeration->entries.back();
  }
  return 0;
}

udev_list_entry* udev_enumerate_get_list_entry(udev_enumerate* enumeration) {
  return enumeration->entries.empty() ? nullptr : &enumeration->entries.front();
}

udev_list_entry* udev_list_entry_get_next(udev_list_entry* entry) {
  return entry->next;
}

const char* udev_list_entry_get_name(udev_list_entry* entry) {
  return entry->name.c_str();
}

udev_device* udev_device_new_from_syspath(udev*, const char* path) {
  for (const FakeDrm::Device& device : FakeDrm::current().devices) {
    if (device.name == path) return new udev_device{{}, device};
  }
  return nullptr;
}

const char* udev_device_get_devnode(udev_device* device) {
  return device->device.node.empty() ? nullptr : device->device.node.c_str();
}

const char* udev_device_get_sysnum(udev_device* device) {
  const std::string& name = device->device.name;
  return name.c_str() + name.find_last_not_of("0123456789") + 1;
}

}  // extern "C"
