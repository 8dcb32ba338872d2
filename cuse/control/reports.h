#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>

#include "drmclient/card.h"
#include "fbemu/framebuffer.h"

namespace cuse {

/// What does not change while the daemon runs.
struct DaemonIdentity {
  std::string device;
  std::string driver;
  pid_t process = 0;
  pid_t guard = 0;
  std::string cuse_number = {};   ///< of the CUSE device, as "29:0"; empty if there is none
  std::string cuse_missing = {};  ///< why there is no CUSE device
};

/// The objects that `fbemuctl status`, `stats` and `modes` print with --json.
[[nodiscard]] nlohmann::json status_report(const DaemonIdentity& daemon,
                                           const fbemu::Framebuffer& framebuffer);
[[nodiscard]] nlohmann::json statistics_report(const fbemu::Framebuffer& framebuffer);
[[nodiscard]] nlohmann::json modes_report(const fbemu::Framebuffer& framebuffer);

}  // namespace cuse
