#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drmclient/output.h"

namespace drmclient {

/// A card found by summarize_cards(): for the choice of a card, and to report why none was chosen.
struct CardSummary {
  std::string path;                 ///< of the node, /dev/dri/cardN
  std::string driver;               ///< empty if the card could not be opened
  std::string problem;              ///< the reason why it is unusable; empty if it is usable
  std::vector<OutputInfo> outputs;  ///< connected or not; empty if there is a problem
};

/// Returns the primary nodes of all DRM cards (/dev/dri/cardN), sorted by number. Throws std::system_error if
/// there is no memory.
[[nodiscard]] std::vector<std::string> card_paths();

/// Opens and probes every card of `paths`. Does not throw for an unusable card.
[[nodiscard]] std::vector<CardSummary> summarize_cards(const std::vector<std::string>& paths);

/// Returns the first card with the connector named `connector`, or without a name the first with a connected
/// output. Null if there is none.
[[nodiscard]] const CardSummary* first_usable(const std::vector<CardSummary>& cards,
                                              const std::optional<std::string>& connector);

/// Returns a line for each card: its path, driver, and connectors with their states.
[[nodiscard]] std::string describe(const std::vector<CardSummary>& cards);

}  // namespace drmclient
