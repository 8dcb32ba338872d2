// card_paths() with libudev, as wlroots and weston search their cards.
//
// drmGetDevices2() would be shorter. But libdrm knows the buses pci, usb, platform, spi, host1x and virtio
// only, and skips every other device: hyperv_drm (vmbus), panels on I2C, and in older versions the faux bus
// of vkms.
#include <libudev.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "drmclient/card_list.h"

namespace drmclient {
namespace {

template <auto unref>
struct Unref {
  template <typename T>
  void operator()(T* object) const {
    unref(object);
  }
};
using Udev = std::unique_ptr<udev, Unref<&udev_unref>>;
using Enumeration = std::unique_ptr<udev_enumerate, Unref<&udev_enumerate_unref>>;
using Device = std::unique_ptr<udev_device, Unref<&udev_device_unref>>;

/// Returns the number N of the device "cardN".
unsigned card_number(udev_device* device) {
  const char* const text = ::udev_device_get_sysnum(device);
  const std::string_view digits = text != nullptr ? text : "";
  unsigned number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

std::vector<std::string> card_paths() {
  const Udev context(::udev_new());
  const Enumeration devices(context ? ::udev_enumerate_new(context.get()) : nullptr);
  if (!devices) throw std::system_error(ENOMEM, std::generic_category(), "cannot list the DRM cards");
  ::udev_enumerate_add_match_subsystem(devices.get(), "drm");
  ::udev_enumerate_add_match_sysname(devices.get(), "card[0-9]*");
  // If this fails, there is no sysfs and no card.
  ::udev_enumerate_scan_devices(devices.get());

  std::vector<std::pair<unsigned, std::string>> found;
  for (udev_list_entry* entry = ::udev_enumerate_get_list_entry(devices.get()); entry != nullptr;
       entry = ::udev_list_entry_get_next(entry)) {
    const Device device(::udev_device_new_from_syspath(context.get(), ::udev_list_entry_get_name(entry)));
    // A connector ("card0-HDMI-A-1") has no node, and a container may lack the nodes of some cards.
    const char* const node = device ? ::udev_device_get_devnode(device.get()) : nullptr;
    if (node != nullptr && ::access(node, F_OK) == 0) found.emplace_back(card_number(device.get()), node);
  }
  std::ranges::sort(found);
  std::vector<std::string> paths;
  paths.reserve(found.size());
  for (auto& [number, path] : found) paths.push_back(std::move(path));
  return paths;
}

}  // namespace drmclient
