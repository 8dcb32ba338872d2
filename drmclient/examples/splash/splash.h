#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "drmclient/card.h"
#include "drmclient/examples/splash/picture.h"

namespace splash {

/// A picture and a bar on every connected output of a card, until another program shows something there.
///
/// The splash uses free outputs only. An output that shows another framebuffer is left to its program, except
/// for the kernel's console after a hotplug event. The buffers exist until other programs have all outputs,
/// so that no screen goes dark in between.
class Splash {
 public:
  /// Makes a splash that shows nothing yet. Both arguments must outlive it.
  Splash(drmclient::Card& card, const Picture& picture) : card_(card), picture_(picture) {}
  Splash(const Splash&) = delete;
  Splash& operator=(const Splash&) = delete;
  /// Releases the outputs.
  ~Splash() { release(); }

  using Time = std::chrono::steady_clock::time_point;

  /// Sets the progress, 0 to 100; update() shows it.
  void set_percent(unsigned percent);

  /// Reads the outputs. Call it at the start; handle() calls it after a HotplugEvent. Errors: those of
  /// Card::probe().
  [[nodiscard]] base::Result<void> probe();

  /// Handles the events of Card::read_events(). Errors: those of Card::probe().
  [[nodiscard]] base::Result<void> handle(const std::vector<drmclient::Event>& events, Time now);

  /// Enables outputs and draws changes. If another process is DRM master, a later call repeats it. Errors:
  /// ENODEV if the card was unplugged; the driver's refusal if there is no other output.
  [[nodiscard]] base::Result<void> update(Time now);

  /// Returns true if all outputs of the splash showed another framebuffer at the last update().
  [[nodiscard]] bool handed_over() const;

  /// Returns the maximum time until the next update() and handed_over(), with or without events.
  [[nodiscard]] std::chrono::milliseconds timeout() const;

  [[nodiscard]] size_t outputs() const { return screens_.size(); }

  /// Releases the outputs, each before its buffer is destroyed. update() has no effect until the next
  /// probe().
  void release();

 private:
  struct SplashOutput {
    drmclient::Output& output;
    drmclient::Mode mode;                                   ///< the first one of its monitor
    std::unique_ptr<drmclient::ScanoutBuffer> buffer = {};  ///< null until the output is enabled
    bool preempted = false;                                 ///< it shows another framebuffer
    std::optional<Time> console_since = {};                 ///< since when that is the kernel's console
    bool yielded = false;                                   ///< the output is left to the other framebuffer
    bool all_changed = false;
    bool bar_changed = false;
    bool refused = false;           ///< the driver refused the output; the others continue
    bool waits_for_vblank = false;  ///< a frame was shown since the last vblank
  };

  static void release(SplashOutput& screen);
  [[nodiscard]] base::Result<void> enable(SplashOutput& screen);
  [[nodiscard]] base::Result<void> enable_with(SplashOutput& screen, drmclient::PixelFormat format);
  [[nodiscard]] base::Result<void> check_preemption(SplashOutput& screen, Time now);
  [[nodiscard]] base::Result<void> present(SplashOutput& screen);
  [[nodiscard]] base::Result<void> draw(drmclient::ScanoutBuffer& buffer, bool bar_alone) const;

  drmclient::Card& card_;
  const Picture& picture_;
  unsigned percent_ = 0;
  Time console_expected_until_;
  std::vector<SplashOutput> screens_;
};

}  // namespace splash
