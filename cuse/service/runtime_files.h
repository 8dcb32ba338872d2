#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"

namespace cuse {

/// Returns the folder of the daemons' sockets and lock files: /run/fbemu for root, else
/// $XDG_RUNTIME_DIR/fbemu, else /tmp/fbemu-UID.
[[nodiscard]] std::string runtime_directory();

/// Makes runtime_directory() with make_own_folder().
void make_runtime_directory();

/// Makes the folder `path` if it is missing, and removes other users' permission to write to it. Throws
/// std::system_error that names the folder; EPERM if it is a link or belongs to another user.
void make_own_folder(const std::string& path, mode_t mode);

/// Returns the name there of the files of the daemon that serves `device` (absolute): "/dev/fb0" ->
/// "dev-fb0". Long paths are cut and get a hash, because a socket's name has at most 107 bytes.
[[nodiscard]] std::string runtime_name(const std::string& device);

/// Returns the default path of the control socket of the daemon that serves `device`.
[[nodiscard]] std::string default_control_path(const std::string& device);

}  // namespace cuse
