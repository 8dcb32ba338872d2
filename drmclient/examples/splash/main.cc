// A boot splash: the second client of drmclient, and the example for writing one. It uses only the public
// interface: the card, its outputs and its buffers (see docs/drm-clients.md).
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

#include "base/unique_fd.h"
#include "drmclient/card_list.h"
#include "drmclient/examples/splash/splash.h"
#include "drmclient/headless_options.h"
#include "drmclient/kms_options.h"

namespace {

using drmclient::Card;
using std::chrono::steady_clock;

/// Opens the card that `word` names. Throws std::runtime_error or std::system_error with a message for the
/// user.
std::unique_ptr<Card> open_card(const std::string& word) {
  const std::string headless = "headless";
  if (word == headless) return drmclient::open_headless_card(drmclient::HeadlessOptions{});
  if (word.starts_with(headless + ":")) {
    const auto mode = drmclient::parse_mode(word.substr(headless.size() + 1));
    if (!mode)
      throw std::runtime_error("--card " + word + ": expected a size after the colon, such as 800x600");
    drmclient::HeadlessOptions options;
    options.size = mode->size;
    return drmclient::open_headless_card(options);
  }
  drmclient::KmsOptions options;
  options.path = word;
  if (word == "auto") {
    const auto cards = drmclient::summarize_cards(drmclient::card_paths());
    if (cards.empty()) throw std::runtime_error("there is no DRM card");
    const auto* usable = drmclient::first_usable(cards, std::nullopt);
    if (usable == nullptr) throw std::runtime_error("no card has a connected output:" + describe(cards));
    options.path = usable->path;
  }
  return drmclient::open_kms_card(options);
}

/// Returns a descriptor that is readable after SIGTERM or SIGINT.
base::UniqueFd catch_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  base::UniqueFd caught(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (!caught) throw std::system_error(errno, std::generic_category(), "signalfd");
  return caught;
}

/// The percentages on the standard input, one per line.
class Progress {
 public:
  /// Returns the descriptor for poll(2); -1 after the end of the input.
  [[nodiscard]] int descriptor() const { return descriptor_; }

  /// Reads the pending input and returns the last percentage in it.
  std::optional<unsigned> read() {
    std::array<char, 4096> bytes{};
    const ssize_t count = ::read(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return std::nullopt;
    std::optional<unsigned> last;
    if (count <= 0) {
      descriptor_ = -1;
      if (!line_.empty()) last = parse();
      return last;
    }
    for (const char letter : std::string_view(bytes.data(), static_cast<size_t>(count))) {
      if (letter != '\n') {
        // A line longer than any number is truncated; it is reported at its end.
        if (line_.size() < longest_line) line_ += letter;
        continue;
      }
      if (const auto percent = parse()) last = percent;
      line_.clear();
    }
    return last;
  }

 private:
  static constexpr size_t longest_line = 80;

  [[nodiscard]] std::optional<unsigned> parse() const {
    unsigned percent = 0;
    const char* end = line_.data() + line_.size();
    const auto [stopped, error] = std::from_chars(line_.data(), end, percent);
    if (error == std::errc{} && stopped == end && percent <= 100) return percent;
    std::cerr << "splash: a percentage from 0 to 100 is wanted, not '" << line_ << "'\n";
    return std::nullopt;
  }

  int descriptor_ = STDIN_FILENO;
  std::string line_;
};

[[noreturn]] void fail(const Card& card, const std::error_code& error) {
  const std::string& path = card.info().path;
  throw std::system_error(error, "the card " + (path.empty() ? card.info().driver : path));
}

/// Shows the splash until other programs have all outputs, or a signal arrives.
void run(Card& card, splash::Splash& splash) {
  const base::UniqueFd signals = catch_signals();
  Progress progress;
  if (const auto probed = splash.probe(); !probed) fail(card, probed.error());
  if (splash.outputs() == 0) std::cerr << "splash: no output is connected; waiting for one\n";
  while (true) {
    if (const auto updated = splash.update(steady_clock::now()); !updated) fail(card, updated.error());
    if (splash.handed_over()) return;
    std::array<pollfd, 3> sources{pollfd{signals.get(), POLLIN, 0},
                                  pollfd{card.event_descriptor(), POLLIN, 0},
                                  pollfd{progress.descriptor(), POLLIN, 0}};
    const int ready = ::poll(sources.data(), sources.size(), static_cast<int>(splash.timeout().count()));
    if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
    if (sources[0].revents != 0) return splash.release();
    if (sources[1].revents != 0) {
      const auto events = card.read_events();
      const auto taken =
          events ? splash.handle(*events, steady_clock::now()) : tl::make_unexpected(events.error());
      if (!taken) fail(card, taken.error());
    }
    if (sources[2].revents != 0) {
      if (const auto percent = progress.read()) splash.set_percent(*percent);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Shows a picture and a progress bar on all outputs of a card, until another program shows something\n"
      "there. Reads percentages from the standard input, one per line.");
  std::string card_word = "auto";
  std::string picture_path;
  app.add_option("--card", card_word, "auto, the path of a DRM node, headless, or headless:WxH")
      ->capture_default_str();
  app.add_option("PICTURE", picture_path, "a PNG file; the default is a built-in picture");
  CLI11_PARSE(app, argc, argv);
  try {
    const splash::Picture picture =
        picture_path.empty() ? splash::Picture::plain() : splash::Picture::load(picture_path);
    const auto card = open_card(card_word);
    splash::Splash splash(*card, picture);
    run(*card, splash);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "splash: " << error.what() << '\n';
    return 1;
  }
}
