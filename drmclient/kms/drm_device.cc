#include "drmclient/kms/drm_device.h"

#include <fcntl.h>
#include <xf86drm.h>

#include <memory>
#include <system_error>
#include <utility>

#include "drmclient/kms/drm_resources.h"

namespace drmclient {
namespace {

std::error_code last_error() {
  return {errno, std::generic_category()};
}

/// Returns true if open(2) of a card's node failed with `error` because this process lacks the permission.
bool is_not_permitted(const std::error_code& error) {
  return error.value() == EACCES || error.value() == EPERM;
}

base::UniqueFd open_node(const std::string& path) {
  // Non-blocking, because events are read until none is pending.
  base::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (fd) return fd;
  const std::error_code error = last_error();
  if (is_node_missing(error)) {
    throw std::system_error(
        error, "there is no card " + path +
                   "; \"--card auto\" takes the first one with a connected output, \"--card headless\" "
                   "serves a framebuffer in memory");
  }
  if (is_not_permitted(error)) {
    throw std::system_error(
        error, "cannot open the card " + path + "; run as root or as a member of the group video");
  }
  throw std::system_error(error, "cannot open the card " + path);
}

/// Returns true if SET_MASTER failed with `error` because another process is DRM master: kernels before 4.20
/// return EINVAL in that case.
bool is_other_master(const std::error_code& error) {
  return error.value() == EINVAL;
}

bool capability(int fd, uint64_t which) {
  uint64_t value = 0;
  return ::drmGetCap(fd, which, &value) == 0 && value != 0;
}

}  // namespace

bool is_node_missing(const std::error_code& error) {
  return error.value() == ENOENT || error.value() == ENXIO || error.value() == ENODEV;
}

base::Result<void> drm_result(int returned) {
  if (returned >= 0) return {};
  // drmIoctl() returns -1 and sets errno; drmMode*() return the negative errno.
  return base::failure(returned == -1 ? errno : -returned);
}

DrmDevice::DrmDevice(const std::string& path, KmsApi wanted) : fd_(open_node(path)), path_(path) {
  // The first opener becomes DRM master. The call fails if another process is master, and then there is
  // nothing to drop.
  static_cast<void>(::drmDropMaster(fd_.get()));

  const DrmVersion version(::drmGetVersion(fd_.get()));
  if (!version) throw std::system_error(last_error(), path + " is not a DRM card");
  driver_.assign(version->name, static_cast<size_t>(version->name_len));
  if (!capability(fd_.get(), DRM_CAP_DUMB_BUFFER)) {
    throw std::system_error(std::make_error_code(std::errc::operation_not_supported),
                            "the driver " + driver_ + " of the card " + path +
                                " has no dumb buffers; choose another card with --card");
  }
  uint64_t prime = 0;
  can_export_ = ::drmGetCap(fd_.get(), DRM_CAP_PRIME, &prime) == 0 && (prime & DRM_PRIME_CAP_EXPORT) != 0;
  // Only clients with the first capability receive primary planes. Drivers without atomic commits refuse the
  // second one.
  const bool planes = ::drmSetClientCap(fd_.get(), DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1) == 0;
  if (planes && wanted == KmsApi::atomic && ::drmSetClientCap(fd_.get(), DRM_CLIENT_CAP_ATOMIC, 1) == 0) {
    api_ = KmsApi::atomic;
  }
}

base::Result<DrmMaster> DrmMaster::take(const DrmDevice& device) {
  if (const auto set = drm_result(::drmSetMaster(device.fd())); !set) {
    return is_other_master(set.error()) ? base::failure(EBUSY) : tl::make_unexpected(set.error());
  }
  return DrmMaster(device.fd());
}

base::Result<DrmMaster> DrmMaster::take_quietly(const DrmDevice& device) {
  if (device.driver() != "vmwgfx") return take(device);
  base::UniqueFd opened(::open(device.path().c_str(), O_RDWR | O_CLOEXEC));
  if (!opened) return base::failure_from_errno();
  // A process that opens a card without a master becomes its master (drm_master_open()).
  if (::drmIsMaster(opened.get()) == 0) return base::failure(EBUSY);
  return DrmMaster(std::move(opened));
}

DrmMaster::DrmMaster(DrmMaster&& other) noexcept
    : opened_(std::move(other.opened_)), fd_(std::exchange(other.fd_, -1)) {}

DrmMaster::~DrmMaster() {
  if (fd_ >= 0 && !opened_) static_cast<void>(::drmDropMaster(fd_));
}

}  // namespace drmclient
