#pragma once

#include <memory>

#include "cuse/sleep/program_freezer.h"
#include "cuse/sleep/sleep_monitor.h"

namespace cuse {

/// Starts to follow logind (sd-login). `freezer` must outlive the monitor. Returns null if the build is
/// without libsystemd, or if that fails, which is logged: the daemon serves without it.
[[nodiscard]] std::unique_ptr<SleepMonitor> start_sleep_monitor(ProgramFreezer& freezer);

}  // namespace cuse
