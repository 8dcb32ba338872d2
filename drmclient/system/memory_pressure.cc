#include "drmclient/system/memory_pressure.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

namespace drmclient {
namespace {

/// Threshold: a program waited for 200 ms of the last 2 s. systemd uses the same. Without CAP_SYS_RESOURCE
/// the kernel accepts only multiples of 2 s.
constexpr std::string_view trigger = "some 200000 2000000";

}  // namespace

MemoryPressure::MemoryPressure(const std::string& path)
    : trigger_(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK)) {
  // The size includes the terminating 0, because the kernel overwrites the last byte with 0.
  const auto bytes = static_cast<ssize_t>(trigger.size()) + 1;
  if (trigger_ && ::write(trigger_.get(), trigger.data(), static_cast<size_t>(bytes)) != bytes) close();
}

}  // namespace drmclient
