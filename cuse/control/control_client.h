#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/unique_fd.h"

namespace cuse {

/// The socket of the daemon that is meant: `wanted`, else $FBEMU_CONTROL, else that of the only daemon of
/// this user. Throws std::runtime_error that lists the candidates where there are none or several.
[[nodiscard]] std::string find_control_socket(const std::optional<std::string>& wanted);

struct ControlAnswer {
  nlohmann::json body;
  base::UniqueFd descriptor;  ///< as ControlReply
};

/// Asks the daemon behind `socket` for `command`. Throws std::system_error where it cannot be reached or does
/// not answer within ten seconds, std::runtime_error with its words where it refuses.
[[nodiscard]] ControlAnswer ask_daemon(const std::string& socket, const std::string& command);

}  // namespace cuse
