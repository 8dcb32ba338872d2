#include "cuse/session/writeback_limits.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "base/result.h"
#include "base/unique_fd.h"

namespace cuse {
namespace {

/// Errors: those of open(2) and write(2).
base::Result<void> write_setting(const std::string& file, std::string_view value) {
  const base::UniqueFd setting(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!setting || ::write(setting.get(), value.data(), value.size()) < 0) return base::failure_from_errno();
  return {};
}

}  // namespace

void lift_writeback_limits(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return;
  const std::string folder = "/sys/class/bdi/" + std::to_string(major(status.st_dev)) + ":" +
                             std::to_string(minor(status.st_dev)) + "/";
  if (const auto written = write_setting(folder + "max_ratio", "100"); !written) {
    spdlog::debug("cannot write {}max_ratio: {}; on a machine with little memory fast drawing may stall",
                  folder, written.error().message());
  }
  // Since Linux 6.2; before that the limit is always strict.
  if (const auto written = write_setting(folder + "strict_limit", "0");
      !written && written.error() != std::errc::no_such_file_or_directory) {
    spdlog::debug("cannot write {}strict_limit: {}", folder, written.error().message());
  }
}

}  // namespace cuse
