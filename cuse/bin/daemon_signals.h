#pragma once

#include "base/unique_fd.h"

namespace cuse {

/// Blocks SIGINT, SIGTERM, SIGHUP and SIGCHLD in this thread and in every thread that is started later, and
/// ignores SIGPIPE. Returns a descriptor that is readable while a blocked signal is pending. Throws
/// std::system_error.
[[nodiscard]] base::UniqueFd open_daemon_signals();

/// Takes the next pending signal from that descriptor. Returns 0 if none is pending. Does not block.
[[nodiscard]] int take_signal(const base::UniqueFd& signals);

}  // namespace cuse
