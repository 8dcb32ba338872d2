#include "cuse/session/writeback_limits.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "base/unique_fd.h"

namespace cuse {
namespace {

/// Returns 0 or a positive errno.
int write_setting(const std::string& file, std::string_view value) {
  const base::UniqueFd setting(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!setting || ::write(setting.get(), value.data(), value.size()) < 0) return errno;
  return 0;
}

}  // namespace

void lift_writeback_limits(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return;
  const std::string folder = "/sys/class/bdi/" + std::to_string(major(status.st_dev)) + ":" +
                             std::to_string(minor(status.st_dev)) + "/";
  if (const int error = write_setting(folder + "max_ratio", "100"); error != 0) {
    spdlog::debug("cannot write {}max_ratio: {}; on a machine with little memory fast drawing may stall",
                  folder, std::generic_category().message(error));
  }
  // Since Linux 6.2; before that the limit is always strict.
  if (const int error = write_setting(folder + "strict_limit", "0"); error != 0 && error != ENOENT) {
    spdlog::debug("cannot write {}strict_limit: {}", folder, std::generic_category().message(error));
  }
}

}  // namespace cuse
