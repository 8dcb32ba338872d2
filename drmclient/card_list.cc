#include "drmclient/card_list.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "drmclient/kms_options.h"

namespace drmclient {

std::vector<CardSummary> summarize_cards(const std::vector<std::string>& paths) {
  std::vector<CardSummary> cards;
  for (const std::string& path : paths) {
    CardSummary summary;
    summary.path = path;
    try {
      KmsOptions options;
      options.path = path;
      const auto card = open_kms_card(options);
      summary.driver = card->info().driver;
      const auto outputs = card->probe();
      if (outputs) {
        for (const Output* output : *outputs) summary.outputs.push_back(output->info());
      } else {
        summary.problem = "cannot probe its outputs: " + outputs.error().message();
      }
    } catch (const std::system_error& error) {
      summary.problem = error.what();
    }
    cards.push_back(std::move(summary));
  }
  return cards;
}

const CardSummary* first_usable(const std::vector<CardSummary>& cards,
                                const std::optional<std::string>& connector) {
  const auto usable = std::ranges::find_if(cards, [&](const CardSummary& card) {
    return card.problem.empty() && std::ranges::any_of(card.outputs, [&](const OutputInfo& output) {
             return connector ? output.name == *connector : output.connected;
           });
  });
  return usable == cards.end() ? nullptr : &*usable;
}

std::string describe(const std::vector<CardSummary>& cards) {
  std::string text;
  for (const CardSummary& card : cards) {
    text += "\n  " + card.path + (card.driver.empty() ? "" : " (" + card.driver + ")") + ": ";
    if (!card.problem.empty()) {
      text += card.problem;
      continue;
    }
    if (card.outputs.empty()) text += "no connectors";
    const char* separator = "";
    for (const OutputInfo& output : card.outputs) {
      text += separator + output.name + (output.connected ? " connected" : " disconnected");
      separator = ", ";
    }
  }
  return text;
}

}  // namespace drmclient
