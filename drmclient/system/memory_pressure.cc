#include "drmclient/system/memory_pressure.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

namespace drmclient {
namespace {

/// Some program waited for 200 ms of the last 2 s, which is what systemd takes as pressure as well. Without
/// CAP_SYS_RESOURCE the kernel takes whole multiples of 2 s only.
constexpr std::string_view trigger = "some 200000 2000000";

}  // namespace

MemoryPressure::MemoryPressure(const std::string& path)
    : trigger_(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK)) {
  // With the byte after it: the kernel puts a 0 in place of the last one.
  const auto bytes = static_cast<ssize_t>(trigger.size()) + 1;
  if (trigger_ && ::write(trigger_.get(), trigger.data(), static_cast<size_t>(bytes)) != bytes) close();
}

}  // namespace drmclient
