#pragma once

#include <linux/fb.h>
#include <sys/ioctl.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "drmclient/card.h"
#include "drmclient/output.h"
#include "fbemu/damage/backing_store.h"
#include "fbemu/damage/damage_log.h"
#include "fbemu/fbdev/color_map.h"
#include "fbemu/fbdev/var_check.h"
#include "fbemu/frontend/opener.h"
#include "fbemu/frontend/user_memory.h"
#include "fbemu/open_file_limit.h"
#include "fbemu/output/arbiter_options.h"
#include "fbemu/output/presenter.h"
#include "fbemu/output/statistics.h"
#include "fbemu/output/writing_programs.h"
#include "fbemu/pixels/framebuffer_state.h"

namespace fbemu {

/// What a framebuffer is at the start.
struct FramebufferOptions {
  drmclient::Mode mode;
  uint32_t depth = 32;           ///< bits per pixel, as format_of_depth() takes them
  drmclient::Size virtual_size;  ///< of the virtual screen; 0x0: that of the visible one
  /// smem_len; 0: what two screens of 32 bits per pixel need, or the virtual screen if that needs more
  uint64_t memory_bytes = 0;
  Rotation rotation = Rotation::none;  ///< of the display
  Scaling scaling = Scaling::fit;
  bool direct_color = false;  ///< colours of true-colour formats go through the colour map
  uint32_t number = 0;        ///< N of /dev/fbN, for FBIOGET_CON2FBMAP
  std::string id;             ///< fix.id
  OnClose on_close = OnClose::console;
  Outputs outputs = Outputs::one;
  drmclient::VirtualTerminals* terminals = nullptr;  ///< as ArbiterOptions has it
  drmclient::MemoryPressure* pressure = nullptr;     ///< as well
  bool follow_monitor_mode =
      false;  ///< nobody asked for `mode`: another monitor may show the picture in its own
};

/// An ioctl as it reached the front end.
struct IoctlRequest {
  uint32_t command = 0;
  uint64_t argument = 0;  ///< a pointer of the program's, or a value
  Abi abi = Abi::lp64;
  std::shared_ptr<UserMemory> memory;
};

/// One framebuffer device, as programs see it: the semantics of drivers/video/fbdev/core/ and of the DRM
/// emulation's drm_fb_helper.c, without their defects, and with the depths, modes, palettes and virtual
/// screens that fbdev promises. Front ends bring requests to it. Thread-safe; no call waits for a vblank, and
/// the program's memory is only touched on the calling thread.
class Framebuffer {
 public:
  /// Where an answer comes later, `Later` is called once, from another thread, with a function that finishes
  /// the request on a thread of the front end's (it touches the program's memory) and returns the result.
  using Later = std::function<void(std::function<int()> finish)>;

  /// Throws std::system_error where the memory cannot be had or the virtual screen does not fit in it.
  Framebuffer(drmclient::Card& card, const drmclient::Output& output, const FramebufferOptions& options);
  /// Answers every request that waits, started or not. What their answers use (a front end) must still exist:
  /// stop() before it is destroyed.
  ~Framebuffer();
  Framebuffer(const Framebuffer&) = delete;
  Framebuffer& operator=(const Framebuffer&) = delete;

  /// Enables the output and starts presenting. `pages` (may be null) must outlive stop(). Throws
  /// std::system_error.
  void start(ProgramPages* pages) { presenter_.start(fb_state(), pages); }
  /// Presents what is left and answers every request that waits, also those that came before start(). Further
  /// calls are answered, nothing is shown.
  void stop() { presenter_.stop(); }

  /// As Presenter::wake_descriptor(), for the threads that bring requests.
  [[nodiscard]] int wake_descriptor() const { return presenter_.wake_descriptor(); }

  /// Counts an open file. Returns 0, or EMFILE if the user has as many open as OpenFileLimit allows; then
  /// there is nothing to close.
  int open(const Opener& opener);
  /// The end of a file that open() counted.
  void close(const Opener& opener);

  /// Handles one ioctl. Returns the result (0 or more, or a negative errno), or nothing where `later` gets
  /// it.
  [[nodiscard]] std::optional<int> ioctl(const IoctlRequest& request, const Later& later);
  /// Whether a signal may end the wait of this ioctl with EINTR; nothing has to be undone then.
  [[nodiscard]] static bool is_interruptible(uint32_t command) { return command == FBIO_WAITFORVSYNC; }

  /// fb_read(): the bytes that can be read at `offset`, at most `size`; 0 at or beyond the end.
  [[nodiscard]] size_t readable(uint64_t offset, size_t size) const;
  /// Copies from `offset`; all of `into` is inside, as readable() said.
  void read(uint64_t offset, std::span<std::byte> into);
  /// fb_write(): stores what fits, records the damage, returns how much. Errors: EFBIG beyond the end; ENOSPC
  /// at it.
  [[nodiscard]] base::Result<size_t> write(uint64_t offset, std::span<const std::byte> from);
  /// Stores pages that a mapping changed; what lies beyond the end is dropped.
  void write_back(uint64_t offset, std::span<const std::byte> from);
  /// Returns false if everything is with the driver. Else `done` is called when it is, with 0, or with the
  /// errno of a presentation that failed for want of memory and is repeated later.
  [[nodiscard]] bool flush(std::function<void(int error)> done);

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
  [[nodiscard]] Status status() const;
  /// As Presenter::output().
  [[nodiscard]] std::shared_ptr<const drmclient::Output> output() const { return presenter_.output(); }
  [[nodiscard]] const Statistics& statistics() const { return statistics_; }

 private:
  [[nodiscard]] FramebufferState fb_state() const;
  void tell_writers();
  int get_var(const IoctlRequest& request);
  std::optional<int> put_var(const IoctlRequest& request, const Later& later);
  int get_fix(const IoctlRequest& request);
  std::optional<int> pan(const IoctlRequest& request, const Later& later);
  struct Change;
  void change_to(const Change& change, const IoctlRequest& request, const Later& later);
  int get_color_map(const IoctlRequest& request);
  int put_color_map(const IoctlRequest& request);
  int blank(const IoctlRequest& request);
  int get_vblank(const IoctlRequest& request);
  [[nodiscard]] int get_console_map(const IoctlRequest& request) const;
  [[nodiscard]] int put_console_map(const IoctlRequest& request) const;

  Presentation presentation_;
  uint32_t number_;
  Statistics statistics_;
  BackingStore backing_store_;
  DamageLog damage_;
  std::string id_;

  /// What the presenter made of a change.
  struct Outcome {
    uint64_t change = 0;
    int error = 0;
    fb_var_screeninfo var{};
    FramebufferState fb_state;
    bool unblanked = false;
  };
  /// The state in force, which other requests build on at once, and what was last known to be on the screen:
  /// where a mode is refused, the state goes back to that.
  struct State {
    fb_var_screeninfo var{};
    FramebufferState fb_state;
    fb_var_screeninfo shown_var{};
    FramebufferState shown_fb_state;
    uint64_t changes = 0;  ///< counts changes of var and state
    uint32_t blank_level = FB_BLANK_UNBLANK;
  };
  /// Locks mutex_ and takes the outcomes in, in their order.
  [[nodiscard]] std::unique_lock<std::mutex> lock_state() const;

  mutable std::mutex outcomes_mutex_;  ///< held by the presenter's thread too, and while no other is taken
  mutable std::vector<Outcome> outcomes_;

  mutable std::mutex mutex_;
  mutable State state_;
  ColorMap color_map_;
  unsigned open_files_ = 0;
  unsigned open_writers_ = 0;
  OpenFileLimit file_limit_;
  std::shared_ptr<WritingPrograms> writing_programs_ = std::make_shared<WritingPrograms>();
  std::atomic<bool> mapped_{false};   ///< since there were no writers, changed pages of a mapping came
  std::atomic<bool> written_{false};  ///< and something by write(2)

  /// Last, because its destructor answers requests, and these answers use the members above.
  Presenter presenter_;
};

}  // namespace fbemu
