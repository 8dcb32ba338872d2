// The ioctls of a Framebuffer.

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "fbemu/fbdev/console_map.h"
#include "fbemu/fbdev/screeninfo.h"
#include "fbemu/framebuffer.h"
#include "fbemu/pixels/program_format.h"

namespace fbemu {
namespace {

using base::failure;
using base::MutexLock;
using base::Result;

/// FBIO_CURSOR as 64-bit programs have it; the number contains the size of struct fb_cursor.
constexpr uint32_t cursor_command = 0xc0684608;

}  // namespace

/// A new state, and the var that the program receives once the state is shown.
struct Framebuffer::Change {
  fb_var_screeninfo var;
  FramebufferState fb_state;
  fb_var_screeninfo answer;
  bool unblanks;
};

std::optional<Result<void>> Framebuffer::ioctl(const IoctlRequest& request, const Later& later) {
  ++statistics_.ioctls;
  switch (request.command) {
    case FBIOGET_VSCREENINFO:
      return get_var(request);
    case FBIOPUT_VSCREENINFO:
      return put_var(request, later);
    case FBIOGET_FSCREENINFO:
      return get_fix(request);
    case FBIOPAN_DISPLAY:
      return pan(request, later);
    case FBIOGETCMAP:
      return get_color_map(request);
    case FBIOPUTCMAP:
      return put_color_map(request);
    case FBIOBLANK:
      return blank(request);
    case FBIO_WAITFORVSYNC:
      presenter_.at_vblank([later](int error) { later([error] { return completion_result(error); }); });
      return std::nullopt;
    case FBIOGET_VBLANK:
      return get_vblank(request);
    case FBIOGET_CON2FBMAP:
      return get_console_map(number_, *request.memory, request.argument);
    case FBIOPUT_CON2FBMAP:
      return put_console_map(number_, *request.memory, request.argument);
    case cursor_command:
      // No cursor, as with every DRM driver. fb_compat_ioctl() does not have this number.
      return failure(request.abi == Abi::lp64 ? EINVAL : ENOTTY);
    default:
      return failure(ENOTTY);
  }
}

Result<void> Framebuffer::get_var(const IoctlRequest& request) {
  fb_var_screeninfo var;
  {
    const MutexLock lock(mutex_);
    update_state();
    var = state_.var;
  }
  return copy_to_user(*request.memory, request.argument, var);
}

Result<void> Framebuffer::get_fix(const IoctlRequest& request) {
  Layout layout;
  {
    const MutexLock lock(mutex_);
    update_state();
    layout = state_.fb_state.layout;
  }
  const fb_fix_screeninfo fix = make_fix(id_, layout, backing_store_.size_bytes());
  return write_fix(fix, request.abi, *request.memory, request.argument);
}

/// Follows the order of checks in do_fb_ioctl() and fb_set_var().
std::optional<Result<void>> Framebuffer::put_var(const IoctlRequest& request, const Later& later) {
  auto wanted = BASE_TRY(copy_from_user<fb_var_screeninfo>(*request.memory, request.argument));
  wanted.activate &= ~static_cast<uint32_t>(FB_ACTIVATE_KD_TEXT);
  const auto output = presenter_.output();

  // Not held while the program's memory is written, because a program can delay that without limit.
  MutexLock lock(mutex_);
  update_state();
  if ((wanted.activate & FB_ACTIVATE_INV_MODE) != 0) {
    // "Delete this mode": fbemu has no list of modes to delete from, but the current mode is in use.
    const bool current = wanted.xres == state_.var.xres && wanted.yres == state_.var.yres &&
                         (wanted.pixclock == 0 || wanted.pixclock == state_.var.pixclock);
    lock.unlock();
    if (current) return failure(EINVAL);
    return copy_to_user(*request.memory, request.argument, wanted);
  }
  const bool forced = (wanted.activate & FB_ACTIVATE_FORCE) != 0;
  if (!forced &&
      std::ranges::equal(std::as_bytes(std::span(&wanted, 1)), std::as_bytes(std::span(&state_.var, 1)))) {
    lock.unlock();
    return copy_to_user(*request.memory, request.argument, wanted);
  }
  const auto checked =
      BASE_TRY(check_var(wanted, {*output, presentation_, state_.fb_state, backing_store_.size_bytes()}));
  if ((wanted.activate & FB_ACTIVATE_MASK) != FB_ACTIVATE_NOW) {
    lock.unlock();
    return copy_to_user(*request.memory, request.argument, checked.var);
  }

  // Unblanks too, because the commit of drm_fb_helper_set_par() makes the output active.
  const bool deferred = change_to({checked.var, checked.fb_state, checked.var, true}, request, later);
  lock.unlock();
  if (deferred) return std::nullopt;
  return copy_to_user(*request.memory, request.argument, checked.var);
}

/// Makes `change` the current state. Returns true if `later` receives the answer once the state is shown.
/// After stop() it returns false, and the caller answers when mutex_ is released: the presenter would
/// complete the request within this call.
bool Framebuffer::change_to(const Change& change, const IoctlRequest& request, const Later& later) {
  const ProgramFormat before = state_.fb_state.layout.format;
  const ProgramFormat& format = change.fb_state.layout.format;
  // A ramp shows the program's colours unchanged.
  if (format != before && format.visual == Visual::directcolor) color_map_ = make_ramp(format);
  state_.var = change.var;
  state_.fb_state = change.fb_state;
  const uint64_t number = ++state_.changes;
  if (stopped_) {
    apply({number, {}, change.var, change.fb_state, change.unblanks});
    return false;
  }
  FramebufferState shown = change.fb_state;
  shown.palette = make_palette(format, color_map_);
  presenter_.show(shown, [=, this](int error) {
    const Result<void> result = completion_result(error);
    if (result && change.unblanks) presenter_.set_power(drmclient::Power::on);
    {
      const MutexLock lock(outcomes_mutex_);
      outcomes_.push_back({number, result, change.var, change.fb_state, change.unblanks});
    }
    later([=]() -> Result<void> {
      BASE_TRY(result);
      return copy_to_user(*request.memory, request.argument, change.answer);
    });
  });
  return true;
}

/// Applies only the offsets and the YWRAP bit, as fb_pan_display() does; the caller's structure is returned
/// unmodified.
std::optional<Result<void>> Framebuffer::pan(const IoctlRequest& request, const Later& later) {
  const auto wanted = BASE_TRY(copy_from_user<fb_var_screeninfo>(*request.memory, request.argument));

  MutexLock lock(mutex_);
  update_state();
  const bool wraps = (wanted.vmode & FB_VMODE_YWRAP) != 0;
  // fb_pan_display() tests FB_VMODE_YWRAP only if yoffset is not 0.
  if (!offsets_fit(wanted.xoffset, wanted.yoffset, wraps && wanted.yoffset > 0, state_.fb_state)) {
    return failure(EINVAL);
  }
  fb_var_screeninfo var = state_.var;
  var.xoffset = wanted.xoffset;
  var.yoffset = wanted.yoffset;
  var.vmode = wraps ? var.vmode | FB_VMODE_YWRAP : var.vmode & ~static_cast<uint32_t>(FB_VMODE_YWRAP);
  FramebufferState fb_state = state_.fb_state;
  fb_state.offset = {wanted.xoffset, wanted.yoffset};
  fb_state.wraps = wraps;
  const bool deferred = change_to({var, fb_state, wanted, false}, request, later);
  lock.unlock();
  if (deferred) return std::nullopt;
  return copy_to_user(*request.memory, request.argument, wanted);
}

/// Follows fb_cmap_to_user(): transparency is never written, and a length beyond the map is no error.
Result<void> Framebuffer::get_color_map(const IoctlRequest& request) {
  UserMemory& memory = *request.memory;
  const auto wanted = BASE_TRY(read_color_map(request.abi, memory, request.argument));
  if (wanted.start >= ColorMap::entries || wanted.len == 0) return failure(EINVAL);
  const uint32_t count = std::min(wanted.len, ColorMap::entries - wanted.start);
  ColorMap map;
  {
    const MutexLock lock(mutex_);
    map = color_map_;
  }
  const auto write = [&](uint64_t address, const std::array<uint16_t, ColorMap::entries>& channel) {
    return memory.write(address, std::as_bytes(std::span(channel).subspan(wanted.start, count)));
  };
  BASE_TRY(write(wanted.red, map.red()));
  BASE_TRY(write(wanted.green, map.green()));
  return write(wanted.blue, map.blue());
}

/// Follows fb_set_user_cmap() and drm_fb_helper_setcmap(), but stores all 256 entries at every depth (the
/// kernel: 16 at true colour). At true colour the entries change no pixel, as in the kernel.
Result<void> Framebuffer::put_color_map(const IoctlRequest& request) {
  constexpr uint32_t too_long = 0x4000'0000;                // len * 2 overflows an int
  constexpr uint32_t longest_allocation = 2 * 1024 * 1024;  // len * 2 bytes from kmalloc()
  UserMemory& memory = *request.memory;
  const auto wanted = BASE_TRY(read_color_map(request.abi, memory, request.argument));
  if (wanted.len >= too_long) return failure(E2BIG);
  if (wanted.len == 0) return failure(EINVAL);
  if (wanted.len > longest_allocation) return failure(ENOMEM);

  // The kernel copies the whole arrays before it checks `start`. Entries beyond the map's size are only
  // probed.
  const uint32_t kept = std::min(wanted.len, ColorMap::entries);
  std::array<std::array<uint16_t, ColorMap::entries>, 4> channels;
  const std::array<uint64_t, 4> addresses{wanted.red, wanted.green, wanted.blue, wanted.transp};
  for (size_t i = 0; i < channels.size(); ++i) {
    if (i == 3 && addresses[i] == 0) break;
    const auto entries = std::as_writable_bytes(std::span(channels[i]).first(kept));
    BASE_TRY(memory.read(addresses[i], entries));
    const uint64_t rest = (uint64_t{wanted.len} - kept) * sizeof(uint16_t);
    BASE_TRY(probe(memory, addresses[i] + entries.size(), rest));
  }
  if (wanted.start > static_cast<uint32_t>(std::numeric_limits<int32_t>::max())) return failure(EINVAL);
  if (wanted.start + wanted.len > ColorMap::entries) return failure(EINVAL);
  const MutexLock lock(mutex_);
  update_state();
  const auto stored = [&](size_t channel) { return std::span(channels.at(channel)).first(kept); };
  color_map_.store(wanted.start, stored(0), stored(1), stored(2));
  if (state_.fb_state.layout.format.uses_color_map()) {
    FramebufferState recoloured = state_.fb_state;
    recoloured.palette = make_palette(recoloured.layout.format, color_map_);
    presenter_.show(recoloured, {});
  }
  return {};
}

/// Reports the number of vblanks, including those that no program waited for. No DRM driver implements this.
Result<void> Framebuffer::get_vblank(const IoctlRequest& request) {
  fb_vblank vblank{};
  vblank.flags = FB_VBLANK_HAVE_COUNT;
  vblank.count = presenter_.vblank_count();
  return copy_to_user(*request.memory, request.argument, vblank);
}

Result<void> Framebuffer::blank(const IoctlRequest& request) {
  using drmclient::Power;
  // As in drm_fb_helper_blank(), FB_BLANK_NORMAL is standby, because the syncs stay on.
  constexpr std::array levels{Power::on, Power::standby, Power::suspend, Power::standby, Power::off};
  static_assert(levels.size() == FB_BLANK_POWERDOWN + 1);
  const auto level = static_cast<uint32_t>(request.argument);
  if (request.argument >= levels.size()) return failure(EINVAL);
  const MutexLock lock(mutex_);
  update_state();
  state_.blank_level = level;
  presenter_.set_power(levels[level]);
  return {};
}

}  // namespace fbemu
