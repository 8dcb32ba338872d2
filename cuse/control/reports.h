#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>

#include "drmclient/card.h"
#include "fbemu/framebuffer.h"

namespace cuse {

/// The properties of a daemon that stay the same while it runs.
struct DaemonIdentity {
  std::string device;
  std::string driver;
  pid_t process = 0;
  pid_t guard = 0;
  std::string cuse_number = {};   ///< number of the CUSE device, as "29:0"; empty without one
  std::string cuse_missing = {};  ///< reason why there is no CUSE device
};

/// Returns the object that `fbemuctl status --json` prints.
[[nodiscard]] nlohmann::json status_report(const DaemonIdentity& daemon,
                                           const fbemu::Framebuffer& framebuffer);
/// Returns the object that `fbemuctl stats --json` prints.
[[nodiscard]] nlohmann::json statistics_report(const fbemu::Framebuffer& framebuffer);
/// Returns the object that `fbemuctl modes --json` prints.
[[nodiscard]] nlohmann::json modes_report(const fbemu::Framebuffer& framebuffer);

}  // namespace cuse
