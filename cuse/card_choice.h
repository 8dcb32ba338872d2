#pragma once

#include <memory>
#include <optional>
#include <string>

#include "drmclient/card.h"

namespace cuse {

/// Opens the card that --card names: "auto", "headless", "headless:WxH", "headless:WxH@HZ", or a DRM node's
/// path. Throws std::system_error with a sentence that says what can be done.
[[nodiscard]] std::unique_ptr<drmclient::Card> open_card(const std::string& word);

/// The output named `connector`, or the first connected one. Throws std::system_error that lists what there
/// is.
[[nodiscard]] drmclient::Output choose_output(drmclient::Card& card,
                                              const std::optional<std::string>& connector);

}  // namespace cuse
