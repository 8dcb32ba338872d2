#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drmclient/output.h"

namespace drmclient {

/// What is known of one DRM node, for choosing a card and for telling a person why none was chosen.
struct CardSummary {
  std::string path;             ///< of the node, /dev/dri/cardN
  std::string driver;           ///< empty where it could not be opened
  std::string problem;          ///< why it cannot be used; empty where it can
  std::vector<Output> outputs;  ///< connected or not; empty where there is a problem
};

/// The primary nodes in `folder` (cardN) in the order of their numbers.
[[nodiscard]] std::vector<std::string> card_paths(const std::string& folder = "/dev/dri");

/// Looks at every one of `paths`. Never throws for a card that cannot be used.
[[nodiscard]] std::vector<CardSummary> summarize_cards(const std::vector<std::string>& paths);

/// The first card with a connected output, or, with a connector's name, with that connector; nothing where
/// there is none.
[[nodiscard]] const CardSummary* first_usable(const std::vector<CardSummary>& cards,
                                              const std::optional<std::string>& connector);

/// One line for each card: its path, driver, and connectors with their states.
[[nodiscard]] std::string describe(const std::vector<CardSummary>& cards);

}  // namespace drmclient
