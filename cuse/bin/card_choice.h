#pragma once

#include <memory>
#include <optional>
#include <string>

#include "drmclient/card.h"
#include "drmclient/mapping.h"
#include "drmclient/mode.h"

namespace cuse {

/// Opens the card that --card names: "auto" (the first card with a connected output, or with `connector`),
/// the path of a DRM node, "headless", "headless:WxH" or "headless:WxH@HZ". To examine a driver, auto or a
/// path may be followed by ",commit=atomic", ",commit=legacy", and ",format=" with a fourcc code. `mapping`
/// selects how the CPU reaches its buffers. Throws std::system_error with a sentence that says what can be
/// done.
[[nodiscard]] std::unique_ptr<drmclient::Card> open_card(
    const std::string& word, const std::optional<std::string>& connector = std::nullopt,
    drmclient::MappingChoice mapping = drmclient::MappingChoice::automatic);

/// Returns the path and driver of a card, for messages.
[[nodiscard]] std::string card_name(const drmclient::CardInfo& info);

/// Returns the output named `connector`, or the first connected one. Throws std::system_error that lists the
/// outputs.
[[nodiscard]] drmclient::Output& choose_output(drmclient::Card& card,
                                               const std::optional<std::string>& connector);

/// Returns the mode of `output` that `wanted` describes, or its preferred mode. Throws std::system_error with
/// a sentence that names the output: ENODEV if it has no modes, EINVAL if none of them fits.
[[nodiscard]] drmclient::Mode choose_initial_mode(const drmclient::Card& card,
                                                  const drmclient::OutputInfo& output,
                                                  const std::optional<drmclient::ModeRequest>& wanted);

}  // namespace cuse
