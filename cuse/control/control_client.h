#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/unique_fd.h"

namespace cuse {

/// Returns the path of the daemon's socket: `wanted`, else $FBEMU_CONTROL, else that of the only daemon of
/// this user. Throws std::runtime_error if this user has no daemon, or several, which it lists.
[[nodiscard]] std::string find_control_socket(const std::optional<std::string>& wanted);

/// The answer of a daemon.
struct ControlAnswer {
  nlohmann::json body;
  base::UniqueFd descriptor;  ///< that of the ControlReply
};

/// Sends `command` to the daemon at `socket` and returns its answer. Throws std::system_error if the daemon
/// cannot be reached or does not answer within ten seconds, std::runtime_error with its text if it refuses.
[[nodiscard]] ControlAnswer ask_daemon(const std::string& socket, const std::string& command);

}  // namespace cuse
