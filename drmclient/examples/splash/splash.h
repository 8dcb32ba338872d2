#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "drmclient/card.h"
#include "drmclient/examples/splash/picture.h"

namespace splash {

/// A picture and a bar on every connected output of a card, until somebody else shows something there.
///
/// It takes what is free and takes nothing back: an output that shows another framebuffer is left to it. (The
/// one exception is the kernel's console, where a hotplug event brought it.) The buffers stay until all
/// outputs are somebody else's, so that nothing goes dark in between.
class Splash {
 public:
  /// Both must outlive the splash.
  Splash(drmclient::Card& card, const Picture& picture) : card_(card), picture_(picture) {}

  using Time = std::chrono::steady_clock::time_point;

  /// The bar's state, 0 to 100; update() shows it.
  void set_percent(unsigned percent);

  /// Looks which outputs there are: at the start, and after each HotplugEvent. Errors: those of
  /// Card::probe().
  [[nodiscard]] base::Result<void> probe();

  /// What the card had to say (Card::read_events()). Errors: those of Card::probe().
  [[nodiscard]] base::Result<void> take(const std::vector<drmclient::Event>& events, Time now);

  /// Brings to the outputs what they do not show yet. What another DRM master prevents waits for a later
  /// call. Errors: ENODEV for a card that is gone; the driver's refusal where
  /// there is no other output to go on with.
  [[nodiscard]] base::Result<void> update(Time now);

  /// Whether each output that it had showed something else at the last update().
  [[nodiscard]] bool handed_over() const;

  /// The longest time until update() and handed_over() should be called again, events or not.
  [[nodiscard]] std::chrono::milliseconds timeout() const;

  [[nodiscard]] size_t outputs() const { return screens_.size(); }

  /// Gives the outputs back. After that update() does nothing until the next probe().
  void release();

 private:
  struct SplashOutput {
    drmclient::Output output;
    std::unique_ptr<drmclient::ScanoutBuffer> buffer;  ///< none until the output is enabled
    bool preempted = false;                            ///< it shows something else
    std::optional<Time> console_since = {};            ///< which is the kernel's console
    bool yielded = false;                              ///< and the output is left to that
    bool all_changed = false;
    bool bar_changed = false;
    bool refused = false;           ///< the driver will not show a picture there; the others go on
    bool waits_for_vblank = false;  ///< a frame has been shown since the last one
  };

  [[nodiscard]] base::Result<void> enable(SplashOutput& screen);
  [[nodiscard]] base::Result<void> enable_with(SplashOutput& screen, drmclient::PixelFormat format);
  [[nodiscard]] base::Result<void> look(SplashOutput& screen, Time now);
  [[nodiscard]] base::Result<void> present(SplashOutput& screen);
  [[nodiscard]] base::Result<void> draw(drmclient::ScanoutBuffer& buffer, bool bar_alone) const;

  drmclient::Card& card_;
  const Picture& picture_;
  unsigned percent_ = 0;
  Time console_comes_until_;
  std::vector<SplashOutput> screens_;
};

}  // namespace splash
