#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"

namespace cuse {

/// Where the daemon keeps what others find it by: /run/fbemu for root, else $XDG_RUNTIME_DIR/fbemu, else
/// /tmp/fbemu-UID.
[[nodiscard]] std::string runtime_directory();

/// Makes runtime_directory() if it is missing, as make_own_folder() does.
void make_runtime_directory();

/// Makes the folder `path` if it is missing, and takes from other users the right to write to it. Throws
/// std::system_error that names it; EPERM if it is a link or another user's.
void make_own_folder(const std::string& path, mode_t mode);

/// The name under which the files of the daemon that serves `device` (absolute) stand there: "/dev/fb0" ->
/// "dev-fb0". Long paths are cut and get a hash, since a socket's name has at most 107 bytes.
[[nodiscard]] std::string runtime_name(const std::string& device);

/// The control socket of the daemon that serves `device`, unless it was told another place.
[[nodiscard]] std::string default_control_path(const std::string& device);

}  // namespace cuse
