#pragma once

#include <linux/fb.h>
#include <sys/ioctl.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "drmclient/card.h"
#include "drmclient/output.h"
#include "fbemu/damage/backing_store.h"
#include "fbemu/damage/damage_log.h"
#include "fbemu/fbdev/color_map.h"
#include "fbemu/fbdev/var_check.h"
#include "fbemu/framebuffer_options.h"
#include "fbemu/frontend/opener.h"
#include "fbemu/frontend/user_memory.h"
#include "fbemu/open_file_limit.h"
#include "fbemu/output/presenter.h"
#include "fbemu/output/statistics.h"
#include "fbemu/output/writing_programs.h"
#include "fbemu/pixels/framebuffer_state.h"

namespace fbemu {

/// An ioctl as the front end received it.
struct IoctlRequest {
  uint32_t command = 0;
  uint64_t argument = 0;  ///< a pointer into the program's memory, or a value
  Abi abi = Abi::lp64;
  std::shared_ptr<UserMemory> memory;
};

/// A framebuffer device as programs see it. It has the semantics of drivers/video/fbdev/core/ and of
/// drm_fb_helper.c, without their defects, and the depths, modes, palettes and virtual screens of fbdev's
/// API. Front ends call it with the requests of programs. Thread-safe. No call waits for a vblank, and a
/// program's memory is accessed on the calling thread only.
class Framebuffer {
 public:
  /// The last step of a deferred request. It accesses the program's memory and returns the request's result.
  using Finish = std::function<base::Result<void>()>;
  /// Receiver of a deferred answer, called once, from another thread. The front end runs `finish` on one of
  /// its own threads.
  using Later = std::function<void(Finish finish)>;
  /// Receiver of the result of a flush().
  using Flushed = std::function<void(base::Result<void> result)>;
  /// Receiver of the result of a clear().
  using Cleared = std::function<void(base::Result<void> result)>;

  /// Throws std::system_error if the memory cannot be allocated or the virtual screen does not fit in it.
  Framebuffer(drmclient::Card& card, drmclient::Output& output, const FramebufferOptions& options);
  /// Answers every pending request, started or not. The answers use the front end, so call stop() before the
  /// front end is destroyed.
  ~Framebuffer();
  Framebuffer(const Framebuffer&) = delete;
  Framebuffer& operator=(const Framebuffer&) = delete;

  /// Enables the output and starts presenting. `pages` (may be null) must remain valid until stop() returns.
  /// Throws std::system_error.
  void start(ProgramPages* pages) BASE_EXCLUDES(mutex_);
  /// Presents the remaining damage and answers every pending request, including requests from before start().
  /// Later calls are answered, but nothing is shown.
  void stop() BASE_EXCLUDES(mutex_);

  /// Returns Presenter::wake_descriptor(), for the threads that serve requests.
  [[nodiscard]] int wake_descriptor() const { return presenter_.wake_descriptor(); }

  /// Counts an open file. Errors: EMFILE if the user has reached OpenFileLimit; EAGAIN if the memory must be
  /// cleared first (clear()). The file then must not be closed.
  [[nodiscard]] base::Result<void> open(const Opener& opener) BASE_EXCLUDES(mutex_);
  /// Ends the count of a file that open() accepted.
  void close(const Opener& opener) BASE_EXCLUDES(mutex_);
  /// Clears the memory if FramebufferOptions::clear_on_close wants it cleared now. `done` receives the result
  /// on another thread; then open() can be called again. Without success, open() stays refused.
  void clear(Cleared done) BASE_EXCLUDES(mutex_);

  /// Handles one ioctl. Returns the result, or nothing if `later` receives it. Errors: as in the kernel, with
  /// ENOTTY for an unknown command.
  [[nodiscard]] std::optional<base::Result<void>> ioctl(const IoctlRequest& request, const Later& later)
      BASE_EXCLUDES(mutex_);
  /// Returns true if a signal may end the wait of this ioctl with EINTR, because it changes no state.
  [[nodiscard]] static bool is_interruptible(uint32_t command) { return command == FBIO_WAITFORVSYNC; }

  /// Returns the number of bytes that fb_read() gives at `offset`, at most `size`; 0 at or beyond the end.
  [[nodiscard]] size_t readable(uint64_t offset, size_t size) const;
  /// Copies the bytes from `offset` to `into`, which must be inside the memory (see readable()).
  void read(uint64_t offset, std::span<std::byte> into);
  /// Stores the bytes that fit and records the damage, as fb_write() does. Returns the number of bytes
  /// stored. Errors: EFBIG beyond the end; ENOSPC at the end.
  [[nodiscard]] base::Result<size_t> write(uint64_t offset, std::span<const std::byte> from);
  /// Stores pages that a mapping changed; bytes beyond the end are dropped.
  void write_back(uint64_t offset, std::span<const std::byte> from);
  /// Returns false if the driver has all changes. Otherwise `done` receives the result when it has them.
  /// Errors of `done`: ENOMEM if the presentation failed because memory was short; it is repeated later.
  [[nodiscard]] bool flush(Flushed done);

  [[nodiscard]] uint64_t memory_bytes() const { return backing_store_.size_bytes(); }
  [[nodiscard]] base::Result<drmclient::Capture> capture() { return presenter_.capture(); }

  struct Status {
    FramebufferState fb_state;
    Presenter::Status presenter;
    unsigned open_files = 0;
    unsigned open_writers = 0;
    uint32_t blank_level = FB_BLANK_UNBLANK;
    std::string id;
  };
  [[nodiscard]] Status status() const BASE_EXCLUDES(mutex_);
  /// Returns Presenter::output().
  [[nodiscard]] std::shared_ptr<const drmclient::OutputInfo> output() const { return presenter_.output(); }
  [[nodiscard]] const Statistics& statistics() const { return statistics_; }

 private:
  /// Returns the argument of a Presenter::Completion as a Result.
  [[nodiscard]] static base::Result<void> completion_result(int error);
  [[nodiscard]] FramebufferState fb_state() const BASE_EXCLUDES(mutex_);
  void update_writers() BASE_REQUIRES(mutex_);
  [[nodiscard]] bool needs_clear() const BASE_REQUIRES(mutex_);
  [[nodiscard]] base::Result<void> clear_on_presenter() BASE_EXCLUDES(mutex_);
  [[nodiscard]] base::Result<void> clear_backing_store();
  base::Result<void> get_var(const IoctlRequest& request) BASE_EXCLUDES(mutex_);
  std::optional<base::Result<void>> put_var(const IoctlRequest& request, const Later& later)
      BASE_EXCLUDES(mutex_);
  base::Result<void> get_fix(const IoctlRequest& request) BASE_EXCLUDES(mutex_);
  std::optional<base::Result<void>> pan(const IoctlRequest& request, const Later& later)
      BASE_EXCLUDES(mutex_);
  struct Change;
  bool change_to(const Change& change, const IoctlRequest& request, const Later& later) BASE_REQUIRES(mutex_);
  base::Result<void> get_color_map(const IoctlRequest& request) BASE_EXCLUDES(mutex_);
  base::Result<void> put_color_map(const IoctlRequest& request) BASE_EXCLUDES(mutex_);
  base::Result<void> blank(const IoctlRequest& request) BASE_EXCLUDES(mutex_);
  base::Result<void> get_vblank(const IoctlRequest& request);

  Presentation presentation_;
  uint32_t number_;
  const bool clears_;  ///< FramebufferOptions::clear_on_close
  Statistics statistics_;
  BackingStore backing_store_;
  DamageLog damage_;
  std::string id_;

  /// The presenter's result for a change of the state.
  struct Outcome {
    uint64_t change = 0;
    base::Result<void> result;
    fb_var_screeninfo var{};
    FramebufferState fb_state;
    bool unblanked = false;
  };
  /// The current state, which later requests start from, and the state that was last shown. If the card
  /// refuses a mode, the current state reverts to the shown one.
  struct State {
    fb_var_screeninfo var{};
    FramebufferState fb_state;
    fb_var_screeninfo shown_var{};
    FramebufferState shown_fb_state;
    uint64_t changes = 0;  ///< number of changes of var and fb_state
    uint32_t blank_level = FB_BLANK_UNBLANK;
  };
  /// Takes over the result of a change.
  void apply(const Outcome& outcome) const BASE_REQUIRES(mutex_);
  /// Applies the pending outcomes in their order. Call it before state_ is read.
  void update_state() const BASE_REQUIRES(mutex_) BASE_EXCLUDES(outcomes_mutex_);

  /// Acquired before the mutex of the presenter, and before that of writing_programs_.
  mutable base::Mutex mutex_ BASE_ACQUIRED_BEFORE(outcomes_mutex_);
  mutable State state_ BASE_GUARDED_BY(mutex_);
  bool stopped_ BASE_GUARDED_BY(mutex_) = false;  ///< True if no further change will be shown.
  ColorMap color_map_ BASE_GUARDED_BY(mutex_);
  unsigned open_files_ BASE_GUARDED_BY(mutex_) = 0;
  unsigned open_writers_ BASE_GUARDED_BY(mutex_) = 0;
  OpenFileLimit file_limit_ BASE_GUARDED_BY(mutex_);

  /// Held by the presenter's thread too; no other mutex is acquired while it is held.
  mutable base::Mutex outcomes_mutex_;
  mutable std::vector<Outcome> outcomes_ BASE_GUARDED_BY(outcomes_mutex_);

  std::shared_ptr<WritingPrograms> writing_programs_ = std::make_shared<WritingPrograms>();
  std::atomic<bool> mapped_{false};   ///< True if a mapping changed pages since the first writer's open().
  std::atomic<bool> changed_{false};  ///< True if programs changed bytes since the memory was zero.
  ProgramPages* pages_ = nullptr;     ///< used by the presenter's thread
  bool clear_fails_ = false;          ///< used by the presenter's thread
  std::atomic<bool> written_{false};  ///< True if write(2) changed bytes since the first writer's open().

  /// Last member, because its destructor answers requests and these answers use the members above.
  Presenter presenter_;
};

}  // namespace fbemu
