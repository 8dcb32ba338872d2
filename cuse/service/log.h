#pragma once

namespace cuse {

/// Sends spdlog's default logger to stderr, with levels in words; with the "<N>" prefixes of sd-daemon(3) if
/// stderr is the journal. `verbose` adds debug messages.
void start_logging(bool verbose);

}  // namespace cuse
