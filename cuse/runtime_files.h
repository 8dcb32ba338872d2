#pragma once

#include <string>

#include "drmclient/unique_fd.h"

namespace cuse {

/// Where the daemon keeps what others find it by: /run/fbemu for root, else $XDG_RUNTIME_DIR/fbemu, else
/// /tmp/fbemu-UID.
[[nodiscard]] std::string runtime_directory();

/// Makes runtime_directory() where it is missing. Throws std::system_error naming it; also where a directory
/// in /tmp belongs to someone else.
void make_runtime_directory();

/// The name under which the files of the daemon that serves `device` (absolute) stand there: "/dev/fb0" ->
/// "dev-fb0". Long paths are cut and get a hash, since a socket's name has at most 107 bytes.
[[nodiscard]] std::string runtime_name(const std::string& device);

/// The control socket of the daemon that serves `device`, unless it was told another place.
[[nodiscard]] std::string default_control_path(const std::string& device);

}  // namespace cuse
