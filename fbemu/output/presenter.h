#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/event_fd.h"
#include "base/mutex.h"
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

/// Brings a framebuffer's pixels to the outputs of a card (CloneGroup) on a thread of its own.
///
/// Only this thread uses the card. While a program has the framebuffer open for writing, each vblank is a
/// tick: it collects damage (TrackingPolicy), uploads it, presents it, and completes the requests that wait.
/// Without an open file, damage or requests the thread sleeps. If the screen is shared with the kernel's
/// console (CardInfo::shared), ConsoleArbiter decides when the outputs are enabled; a program that only reads
/// (fbset) leaves the console visible. The public calls are thread-safe and return at once unless they say
/// otherwise. Completions run on the presenter's thread and must not block. Requests may come before start();
/// each is completed once, at the latest by stop() or the destructor. An exception (out of memory) ends its
/// tick, not the process: the requests of that tick get its errno, and everything is uploaded again.
class Presenter {
 public:
  /// Receives 0, or a positive errno.
  using Completion = std::function<void(int error)>;

  struct Status {
    drmclient::CardInfo card;
    drmclient::OutputInfo output;                   ///< the primary output, as last probed
    std::vector<CloneGroup::OutputStatus> outputs;  ///< the primary output first
    drmclient::Mode mode;
    drmclient::PixelFormat scanout_format = drmclient::PixelFormat::xrgb8888;
    drmclient::Power power = drmclient::Power::on;
    TrackingPolicy::Mode tracker = TrackingPolicy::Mode::tracked;
    bool enabled = false;      ///< a mode is set, so that the kernel's console is not visible
    bool preempted = false;    ///< another DRM master's framebuffer is scanned out
    bool on_active_vt = true;  ///< a writer's VT is active, or there are no VTs
    drmclient::DriverPaths paths;
    drmclient::MappingStatistics mappings;
    /// The error of the last attempt to collect, upload or present pixels.
    std::error_code error;
  };

  /// All of them must outlive the presenter. `card` is used by the presenter's thread alone from start() to
  /// stop().
  Presenter(drmclient::Card& card, drmclient::Output& output, BackingStore& backing_store, DamageLog& damage,
            Statistics& statistics, const ArbiterOptions& options = {},
            const base::Clock& clock = base::monotonic_clock());
  ~Presenter();
  Presenter(const Presenter&) = delete;
  Presenter& operator=(const Presenter&) = delete;

  /// Enables the outputs with `fb_state`, or checks on a shared screen that they can be enabled, and starts
  /// the thread. If `pages` is null, only the backing store is shown. Throws std::system_error with the card
  /// and the output if the mode or the buffer is refused.
  void start(const FramebufferState& fb_state, ProgramPages* pages) BASE_EXCLUDES(mutex_);
  /// Presents the remaining damage, completes all requests, and ends the thread.
  void stop() BASE_EXCLUDES(mutex_);

  /// Returns the eventfd through which the calls below wake the thread. A thread with its own descriptor
  /// table must have it under the same number.
  [[nodiscard]] int wake_descriptor() const { return wake_event_.get(); }
  /// Returns false while damage that was taken from the log is not presented yet.
  [[nodiscard]] bool idle() const BASE_EXCLUDES(mutex_);
  /// Sets the number of files that are open for writing. If it is not 0, every vblank is a tick.
  void set_writers(unsigned count) { set_writers(Writers{count, {}, false}); }
  void set_writers(Writers writers) BASE_EXCLUDES(mutex_);
  /// Wakes the thread, because the damage log is no longer empty.
  void damaged();

  /// Shows `fb_state` from the next vblank on. The completion runs when it is shown, or with the errno with
  /// which the card refused its mode; the state before stays then. Requests that are replaced before the
  /// vblank complete with the last one.
  void show(const FramebufferState& fb_state, Completion done) BASE_EXCLUDES(mutex_);
  /// Completes at the next vblank, when everything drawn before it is presented.
  void at_vblank(Completion done) BASE_EXCLUDES(mutex_);
  /// Presents the damage log without waiting for vblank, and completes.
  void flush(Completion done) BASE_EXCLUDES(mutex_);
  void set_power(drmclient::Power power) BASE_EXCLUDES(mutex_);
  /// Runs `work(0)` on the presenter's thread before the next frame. `work` may use the ProgramPages and may
  /// block. After stop(), runs `work(ESHUTDOWN)` on another thread.
  void call(Completion work) BASE_EXCLUDES(mutex_);

  /// Presents everything drawn so far and reads the output's scan-out buffer. Blocks. Errors: ENODATA if the
  /// output is not enabled.
  [[nodiscard]] base::Result<drmclient::Capture> capture() BASE_EXCLUDES(mutex_);

  [[nodiscard]] Status status() const BASE_EXCLUDES(mutex_);
  /// Returns the properties of the primary output as last probed, without a copy; a probe makes a new object.
  [[nodiscard]] std::shared_ptr<const drmclient::OutputInfo> output() const BASE_EXCLUDES(mutex_);
  /// Returns the number of frames since start(), 0 before it; it wraps. Frames for which no request waited
  /// are counted by the clock.
  [[nodiscard]] uint32_t vblank_count() const BASE_EXCLUDES(mutex_);

 private:
  /// Requests of other threads; the presenter's thread takes them as a whole.
  struct Requests {
    std::optional<FramebufferState> fb_state;
    std::vector<Completion> fb_state_done;
    std::vector<Completion> vblank_done;
    std::vector<Completion> flush_done;
    std::vector<std::promise<base::Result<drmclient::Capture>>> captures;
    std::optional<drmclient::Power> power;
    std::vector<Completion> calls;
  };

  void request(const std::function<void(Requests&)>& ask) BASE_EXCLUDES(mutex_);
  void wake();
  void run();
  bool wait_for_events();
  void ask_for_vblank();
  [[nodiscard]] std::optional<std::chrono::nanoseconds> time_to_sleep() const;
  [[nodiscard]] bool needs_vblank() const BASE_EXCLUDES(mutex_);
  bool handle_card_events();
  void handle_pressure(short events);
  void handle_hotplug() BASE_EXCLUDES(mutex_);
  Requests take_requests(bool vblank, bool& has_writers) BASE_EXCLUDES(mutex_);
  void take_writers() BASE_EXCLUDES(mutex_);
  /// Returns false after an exception.
  bool handle(bool vblank) BASE_EXCLUDES(mutex_);
  void show_and_present(Requests& due, bool vblank, bool has_writers, int& fb_state_error);
  [[nodiscard]] base::Result<drmclient::Capture> read_back();
  void tick(bool has_writers);
  void refresh_now(bool clean_first);
  void clean(std::span<const ByteRange> ranges);
  template <typename Step>
  [[nodiscard]] int attempt(const Step& step) noexcept;
  void recover_from(std::error_code error, const char* cause) noexcept BASE_EXCLUDES(mutex_);
  [[nodiscard]] bool enable_on_demand() const { return card_.info().shared; }
  void count_vblank() BASE_EXCLUDES(mutex_);
  void publish(bool presented) BASE_EXCLUDES(mutex_);

  drmclient::Card& card_;
  DamageLog& damage_;
  Statistics& statistics_;
  const base::Clock& clock_;
  ProgramPages* pages_ = nullptr;
  base::EventFd wake_event_;

  // The presenter's thread only.
  CloneGroup outputs_;
  ConsoleArbiter arbiter_;
  drmclient::MemoryPressure* pressure_;
  HotplugThrottle hotplug_;
  TrackingPolicy policy_;
  /// The end of the current frame by the clock; nothing if the card reports it, or if no request waits for
  /// it.
  std::optional<base::Clock::Time> frame_end_;
  bool uncollected_ = false;  ///< pages could not be cleaned, so the damage log may be incomplete
  static constexpr ReportedError::Duration quiet{10'000};
  ReportedError clean_error_{quiet};  ///< of cleaning pages
  ReportedError exception_{quiet};    ///< caught on the thread

  mutable base::Mutex mutex_;
  Requests requests_ BASE_GUARDED_BY(mutex_);
  Writers writers_ BASE_GUARDED_BY(mutex_);
  bool writers_changed_ BASE_GUARDED_BY(mutex_) = false;
  bool stopping_ BASE_GUARDED_BY(mutex_) = false;
  bool finished_ BASE_GUARDED_BY(mutex_) = false;
  bool busy_ BASE_GUARDED_BY(mutex_) = false;
  Status status_ BASE_GUARDED_BY(mutex_);  ///< Status::output is unused; see output_
  std::shared_ptr<const drmclient::OutputInfo> output_ BASE_GUARDED_BY(mutex_);
  uint32_t vblanks_ BASE_GUARDED_BY(mutex_) = 0;                          ///< at vblank_time_
  std::optional<base::Clock::Time> vblank_time_ BASE_GUARDED_BY(mutex_);  ///< nothing before start()

  std::thread thread_;
};

}  // namespace fbemu
