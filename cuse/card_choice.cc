#include "cuse/card_choice.h"

#include <cerrno>
#include <string_view>
#include <system_error>

#include "drmclient/headless_card.h"
#include "drmclient/mode.h"

namespace cuse {
namespace {

[[noreturn]] void fail(int code, const std::string& what) {
  throw std::system_error(code, std::generic_category(), what);
}

constexpr std::string_view headless = "headless";

std::unique_ptr<drmclient::Card> open_headless(std::string_view geometry) {
  drmclient::HeadlessOptions options;
  if (!geometry.empty()) {
    const auto wanted = drmclient::parse_mode(geometry);
    if (!wanted) {
      fail(EINVAL,
           "the card \"headless:" + std::string(geometry) + "\" is not headless:WxH or headless:WxH@HZ");
    }
    options.size = wanted->size;
    options.refresh_millihertz = wanted->refresh_millihertz.value_or(drmclient::default_refresh_millihertz);
  }
  return std::make_unique<drmclient::HeadlessCard>(options);
}

}  // namespace

std::unique_ptr<drmclient::Card> open_card(const std::string& word) {
  const std::string_view text = word;
  if (text == headless) return open_headless({});
  if (text.starts_with("headless:") && text.size() > headless.size() + 1) {
    return open_headless(text.substr(headless.size() + 1));
  }
  if (text == "auto" || text.starts_with("/")) {
    fail(ENODEV,
         "the card \"" + word +
             "\": this version drives no DRM cards yet; \"--card headless\" serves a framebuffer in memory");
  }
  fail(EINVAL,
       "the card \"" + word + "\" is neither auto, headless, headless:WxH[@HZ] nor the path of a DRM node");
}

drmclient::Output choose_output(drmclient::Card& card, const std::optional<std::string>& connector) {
  const auto outputs = card.probe();
  if (!outputs)
    fail(outputs.error().value(), "cannot ask the card " + card.info().driver + " for its outputs");
  std::string names;
  for (const drmclient::Output& output : *outputs) {
    if (connector ? output.name == *connector : output.connected) return output;
    names += (names.empty() ? "" : ", ") + output.name + (output.connected ? " (connected)" : "");
  }
  const std::string there = names.empty() ? "none" : names;
  if (connector) fail(ENODEV, "the card has no connector \"" + *connector + "\"; there is: " + there);
  fail(ENODEV, "no output of the card " + card.info().driver + " is connected; there is: " + there);
}

}  // namespace cuse
