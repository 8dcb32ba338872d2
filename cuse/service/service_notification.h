#pragma once

namespace cuse {

/// Sends a state such as "READY=1" to the service manager with sd_notify(3). Does nothing if no service
/// manager started the daemon, or if the build is without libsystemd.
void notify_service_manager(const char* state);

}  // namespace cuse
