#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <system_error>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "drmclient/card.h"
#include "fbemu/damage/backing_store.h"
#include "fbemu/damage/damage_log.h"
#include "fbemu/damage/tracking_policy.h"
#include "fbemu/frontend/program_pages.h"
#include "fbemu/output/arbiter_options.h"
#include "fbemu/output/clone_group.h"
#include "fbemu/output/console_arbiter.h"
#include "fbemu/output/hotplug_throttle.h"
#include "fbemu/output/reported_error.h"
#include "fbemu/output/statistics.h"
#include "fbemu/pixels/framebuffer_state.h"

namespace fbemu {

/// Brings a framebuffer's pixels to a card's outputs (CloneGroup).
///
/// One thread of its own uses the card. While a program has the framebuffer open for writing, it does this
/// once per vblank: find what changed (TrackingPolicy), upload it, present it, and answer who waits for that.
/// Without an open file, damage or waiters it sleeps. Where the screen is shared with the kernel's console
/// (CardInfo::shared), ConsoleArbiter says when the outputs are enabled; a program that only reads (fbset)
/// leaves the console where it is. The public calls are thread-safe, return at once unless they say
/// otherwise, and run completions on the presenter's thread; a completion must not block. Requests may come
/// before start(); each is answered once, by stop() or by the destructor at the latest. An exception (no
/// memory is left) ends the tick in which it comes and not the process: who waits for that tick gets its
/// errno, and everything is uploaded again.
class Presenter {
 public:
  /// Gets 0, or a positive errno.
  using Completion = std::function<void(int error)>;

  struct Status {
    drmclient::CardInfo card;
    drmclient::Output output;                       ///< the primary one, as last probed
    std::vector<CloneGroup::OutputStatus> outputs;  ///< that one first
    drmclient::Mode mode;
    drmclient::PixelFormat scanout_format = drmclient::PixelFormat::xrgb8888;
    drmclient::Power power = drmclient::Power::on;
    TrackingPolicy::Mode tracker = TrackingPolicy::Mode::tracked;
    bool enabled = false;      ///< the output shows the framebuffer, not the kernel's console
    bool preempted = false;    ///< but another DRM master has put something else there
    bool on_active_vt = true;  ///< a writer's terminal is in front, or there are no terminals
    drmclient::DriverPaths paths;
    drmclient::MappingStatistics mappings;
    /// Why the last attempt to collect, upload or present pixels failed; no error if it worked.
    std::error_code error;
  };

  /// All of them must outlive the presenter. `card` is used by the presenter's thread alone from start() to
  /// stop().
  Presenter(drmclient::Card& card, drmclient::Output output, BackingStore& backing_store, DamageLog& damage,
            Statistics& statistics, const ArbiterOptions& options = {},
            const base::Clock& clock = base::monotonic_clock());
  ~Presenter();
  Presenter(const Presenter&) = delete;
  Presenter& operator=(const Presenter&) = delete;

  /// Enables the output with `fb_state`, or on a shared screen makes sure that it can be enabled, and starts
  /// the thread. `pages` may be null: then only what is stored in the shadow is shown. Throws
  /// std::system_error naming the card and the output where the mode or the buffer is refused.
  void start(const FramebufferState& fb_state, ProgramPages* pages);
  /// Presents what is left, answers all who wait, and ends the thread.
  void stop();

  /// The event descriptor through which the calls below wake the presenter's thread. A thread with a table of
  /// descriptors of its own must have it there under the same number.
  [[nodiscard]] int wake_descriptor() const { return wake_event_.get(); }
  /// False while damage that was taken from the log is on its way to the driver.
  [[nodiscard]] bool idle() const;
  /// How many open files may write. While there are any, every vblank is a tick.
  void set_writers(unsigned count) { set_writers(Writers{count, {}, false}); }
  void set_writers(Writers writers);
  /// The damage log is no longer empty.
  void damaged();

  /// Shows `fb_state` from the next vblank on. The completion comes when it is shown, or with the errno of
  /// the card where its mode was refused; then the state before stays. Scenes that are overtaken before
  /// the vblank complete with it.
  void show(const FramebufferState& fb_state, Completion done);
  /// Completes at the next vblank, after what programs drew before it is with the driver.
  void at_vblank(Completion done);
  /// Presents what is in the damage log without waiting for vblank, and completes.
  void flush(Completion done);
  void set_power(drmclient::Power power);

  /// Presents what programs drew so far and reads back what the output shows. Blocks. Errors: ENODATA where
  /// the output is not enabled.
  [[nodiscard]] base::Result<drmclient::Capture> capture();

  [[nodiscard]] Status status() const;
  /// The primary output, as last probed. Nothing is copied for a caller; a probe makes a new one.
  [[nodiscard]] std::shared_ptr<const drmclient::Output> output() const;
  /// Returns the frames of the output since the start, 0 before it; wraps. Frames that nobody waited for are
  /// counted by the clock.
  [[nodiscard]] uint32_t vblank_count() const;

 private:
  /// What other threads ask for; taken as a whole by the presenter's thread.
  struct Requests {
    std::optional<FramebufferState> fb_state;
    std::vector<Completion> fb_state_done;
    std::vector<Completion> vblank_done;
    std::vector<Completion> flush_done;
    std::vector<std::promise<base::Result<drmclient::Capture>>> captures;
    std::optional<drmclient::Power> power;
  };

  void request(const std::function<void(Requests&)>& ask);
  void wake();
  void run();
  bool wait_for_events();
  void ask_for_vblank();
  [[nodiscard]] std::optional<std::chrono::nanoseconds> time_to_sleep() const;
  [[nodiscard]] bool needs_vblank() const;
  bool handle_card_events();
  void handle_pressure(short events);
  void handle_hotplug();
  Requests take_requests(bool vblank, bool& has_writers);
  void take_writers();
  /// Returns false after an exception.
  bool handle(bool vblank);
  void show_and_present(Requests& due, bool vblank, bool has_writers, int& fb_state_error);
  [[nodiscard]] base::Result<drmclient::Capture> read_back();
  void tick(bool has_writers);
  void refresh_now(bool clean_first);
  void clean(std::span<const ByteRange> ranges);
  template <typename Step>
  [[nodiscard]] int attempt(const Step& step) noexcept;
  void recover_from(std::error_code error, const char* cause) noexcept;
  [[nodiscard]] bool enable_on_demand() const { return card_.info().shared; }
  void count_vblank();
  void publish(bool presented);

  drmclient::Card& card_;
  DamageLog& damage_;
  Statistics& statistics_;
  const base::Clock& clock_;
  ProgramPages* pages_ = nullptr;
  base::UniqueFd wake_event_;

  // The presenter's thread only.
  CloneGroup outputs_;
  ConsoleArbiter arbiter_;
  drmclient::MemoryPressure* pressure_;
  HotplugThrottle hotplug_;
  TrackingPolicy policy_;
  /// When the frame under way ends; nothing if the card tells, or if nobody waits for it.
  std::optional<base::Clock::Time> frame_end_;
  bool uncollected_ = false;  ///< pages could not be cleaned, so the damage log may lack some
  static constexpr ReportedError::Duration quiet{10'000};
  ReportedError clean_error_{quiet};  ///< of cleaning pages
  ReportedError exception_{quiet};    ///< caught on the thread

  mutable std::mutex mutex_;
  Requests requests_;
  Writers writers_;
  bool writers_changed_ = false;
  bool stopping_ = false;
  bool finished_ = false;
  bool busy_ = false;
  Status status_;  ///< without the output, which is output_
  std::shared_ptr<const drmclient::Output> output_;
  uint32_t vblanks_ = 0;                          ///< at vblank_time_
  std::optional<base::Clock::Time> vblank_time_;  ///< nothing before start()

  std::thread thread_;
};

}  // namespace fbemu
