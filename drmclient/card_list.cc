#include "drmclient/card_list.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "drmclient/kms_options.h"

namespace drmclient {
namespace {

constexpr std::string_view prefix = "card";

/// Returns the number N of "cardN".
std::optional<unsigned> card_number(const std::string& name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const std::string_view digits = std::string_view(name).substr(prefix.size());
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

std::vector<std::string> card_paths(const std::string& folder) {
  std::vector<std::pair<unsigned, std::string>> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (const auto number = card_number(entry.path().filename())) found.emplace_back(*number, entry.path());
  }
  std::ranges::sort(found);
  std::vector<std::string> paths;
  paths.reserve(found.size());
  for (auto& [number, path] : found) paths.push_back(std::move(path));
  return paths;
}

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
