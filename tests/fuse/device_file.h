#pragma once

#include <fcntl.h>
#include <linux/fb.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

#include "base/unique_fd.h"

namespace fuse_test {

/// The device, opened by the test itself as by any program.
class DeviceFile {
 public:
  explicit DeviceFile(const std::string& path, int flags = O_RDWR)
      : file_(::open(path.c_str(), flags | O_CLOEXEC)) {
    if (!file_) throw std::system_error(errno, std::generic_category(), path);
  }

  [[nodiscard]] int get() const { return file_.get(); }
  void close() { file_.reset(); }
  /// Returns 0 or an errno.
  [[nodiscard]] int ioctl(unsigned long number, void* argument) const {
    return ::ioctl(file_.get(), number, argument) < 0 ? errno : 0;
  }
  [[nodiscard]] int ioctl_with_value(unsigned long number, unsigned long value) const {
    return ::ioctl(file_.get(), number, value) < 0 ? errno : 0;
  }
  [[nodiscard]] fb_var_screeninfo var() const {
    fb_var_screeninfo var{};
    if (const int error = ioctl(FBIOGET_VSCREENINFO, &var); error != 0) {
      throw std::system_error(error, std::generic_category(), "FBIOGET_VSCREENINFO");
    }
    return var;
  }
  [[nodiscard]] fb_fix_screeninfo fix() const {
    fb_fix_screeninfo fix{};
    if (const int error = ioctl(FBIOGET_FSCREENINFO, &fix); error != 0) {
      throw std::system_error(error, std::generic_category(), "FBIOGET_FSCREENINFO");
    }
    return fix;
  }

 private:
  base::UniqueFd file_;
};

/// A mapping of all of the device's memory as pixels.
class DeviceMap {
 public:
  explicit DeviceMap(const DeviceFile& file) : bytes_(file.fix().smem_len) {
    void* map = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (map == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    pixels_ = static_cast<volatile uint32_t*>(map);
  }
  DeviceMap(const DeviceMap&) = delete;
  DeviceMap& operator=(const DeviceMap&) = delete;
  ~DeviceMap() { ::munmap(const_cast<uint32_t*>(pixels_), bytes_); }

  [[nodiscard]] volatile uint32_t& operator[](size_t index) const { return pixels_[index]; }
  [[nodiscard]] void* address() const { return const_cast<uint32_t*>(pixels_); }
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  size_t bytes_;
  volatile uint32_t* pixels_;
};

}  // namespace fuse_test
