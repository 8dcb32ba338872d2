#pragma once

namespace cuse {

/// Sends a state such as "READY=1" to the service manager that started the daemon, as sd_notify(3) does. Does
/// nothing if there is none, or if the build is without libsystemd.
void notify_service_manager(const char* state);

}  // namespace cuse
