#include "cuse/sleep/monitor_choice.h"

#ifdef FBEMU_HAVE_SYSTEMD
#include <spdlog/spdlog.h>

#include <exception>

#include "cuse/sleep/logind_monitor.h"
#endif

namespace cuse {

std::unique_ptr<SleepMonitor> start_sleep_monitor([[maybe_unused]] ProgramFreezer& freezer) {
#ifdef FBEMU_HAVE_SYSTEMD
  try {
    return std::make_unique<LogindMonitor>(freezer);
  } catch (const std::exception& error) {
    spdlog::warn("programs are not frozen before a sleep, unless \"fbemuctl freeze\" does it: {}",
                 error.what());
  }
#endif
  return nullptr;
}

}  // namespace cuse
