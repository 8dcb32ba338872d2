#include "cuse/bin/card_choice.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "cuse/service/failure.h"
#include "drmclient/card_list.h"
#include "drmclient/headless_options.h"
#include "drmclient/kms_options.h"
#include "drmclient/mode.h"

namespace cuse {
namespace {

constexpr std::string_view headless = "headless";

std::unique_ptr<drmclient::Card> open_headless(std::string_view geometry, drmclient::MappingChoice mapping) {
  drmclient::HeadlessOptions options;
  options.mapping = mapping;
  if (!geometry.empty()) {
    const auto wanted = drmclient::parse_mode(geometry);
    if (!wanted) {
      fail(EINVAL,
           "the card \"headless:" + std::string(geometry) + "\" is not headless:WxH or headless:WxH@HZ");
    }
    options.size = wanted->size;
    options.refresh_millihertz = wanted->refresh_millihertz.value_or(drmclient::default_refresh_millihertz);
  }
  return drmclient::open_headless_card(options);
}

/// Applies one option of the card, such as "commit=legacy". `word` is the whole text of --card.
void apply_option(std::string_view option, const std::string& word, drmclient::KmsOptions& options) {
  const size_t equals = std::min(option.find('='), option.size() - 1);
  const std::string_view name = option.substr(0, equals);
  const std::string_view value = option.substr(equals + 1);
  if (name == "commit" && (value == "atomic" || value == "legacy")) {
    options.api = value == "atomic" ? drmclient::KmsApi::atomic : drmclient::KmsApi::legacy;
  } else if (name == "format" && drmclient::format_named(value)) {
    options.format = drmclient::format_named(value);
  } else {
    fail(EINVAL, "the card \"" + word + "\": \"" + std::string(option) +
                     "\" is neither commit=atomic, commit=legacy nor format=FOURCC");
  }
}

/// Returns the path of the card to open. `text` is what --card has before the first comma.
std::string choose_path(const std::string& text, const std::optional<std::string>& connector) {
  if (text != "auto") return text;
  const std::string headless_instead = "; \"--card headless\" serves a framebuffer in memory";
  const auto cards = drmclient::summarize_cards(drmclient::card_paths());
  if (cards.empty()) {
    fail(ENODEV, "there is no DRM card (/dev/dri/card*)" + headless_instead);
  }
  const auto* chosen = drmclient::first_usable(cards, connector);
  if (chosen != nullptr) return chosen->path;
  const std::string missing = connector ? "a connector \"" + *connector + '"' : "a connected output";
  fail(ENODEV, "the DRM cards are:" + drmclient::describe(cards) + "\nnone of them has " + missing +
                   headless_instead);
}

std::unique_ptr<drmclient::Card> open_kms(const std::string& word,
                                          const std::optional<std::string>& connector,
                                          drmclient::MappingChoice mapping) {
  drmclient::KmsOptions options;
  options.mapping = mapping;
  std::string_view text = word;
  const std::string path(text.substr(0, text.find(',')));
  text.remove_prefix(path.size());
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::string_view option = text.substr(0, text.find(','));
    if (option.empty()) fail(EINVAL, "the card \"" + word + "\" has an empty option");
    apply_option(option, word, options);
    text.remove_prefix(option.size());
  }
  options.path = choose_path(path, connector);
  return drmclient::open_kms_card(options);
}

}  // namespace

std::unique_ptr<drmclient::Card> open_card(const std::string& word,
                                           const std::optional<std::string>& connector,
                                           drmclient::MappingChoice mapping) {
  const std::string_view text = word;
  if (text == headless) return open_headless({}, mapping);
  if (text.starts_with("headless:") && text.size() > headless.size() + 1) {
    return open_headless(text.substr(headless.size() + 1), mapping);
  }
  if (text == "auto" || text.starts_with("auto,") || text.starts_with("/"))
    return open_kms(word, connector, mapping);
  fail(EINVAL,
       "the card \"" + word + "\" is neither auto, headless, headless:WxH[@HZ] nor the path of a DRM node");
}

std::string card_name(const drmclient::CardInfo& info) {
  return info.path.empty() ? info.driver : info.path + " (" + info.driver + ")";
}

drmclient::Output& choose_output(drmclient::Card& card, const std::optional<std::string>& connector) {
  const auto outputs = card.probe();
  if (!outputs)
    fail(outputs.error().value(), "cannot read the outputs of the card " + card_name(card.info()));
  std::string names;
  for (drmclient::Output* const output : *outputs) {
    const drmclient::OutputInfo& info = output->info();
    if (connector ? info.name == *connector : info.connected) return *output;
    names += (names.empty() ? "" : ", ") + info.name + (info.connected ? " (connected)" : "");
  }
  const std::string connectors = names.empty() ? "none" : names;
  if (connector)
    fail(ENODEV, "the card " + card_name(card.info()) + " has no connector \"" + *connector +
                     "\"; its connectors: " + connectors);
  fail(ENODEV,
       "no output of the card " + card_name(card.info()) + " is connected; its connectors: " + connectors);
}

drmclient::Mode choose_initial_mode(const drmclient::Card& card, const drmclient::OutputInfo& output,
                                    const std::optional<drmclient::ModeRequest>& wanted) {
  const std::string name = "the output " + output.name + " of the card " + card_name(card.info());
  if (!wanted) {
    if (output.modes.empty()) fail(ENODEV, name + " has no modes; is a display connected?");
    return output.modes.front();
  }
  const auto mode = drmclient::choose_mode(output, wanted->size, wanted->refresh_millihertz);
  if (!mode) {
    fail(EINVAL, name + " has no mode of " + std::to_string(wanted->size.width) + "x" +
                     std::to_string(wanted->size.height));
  }
  return *mode;
}

}  // namespace cuse
