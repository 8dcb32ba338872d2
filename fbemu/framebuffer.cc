#include "fbemu/framebuffer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <system_error>
#include <vector>

#include "fbemu/fbdev/console_map.h"
#include "fbemu/fbdev/screeninfo.h"
#include "fbemu/pixels/program_format.h"

namespace fbemu {
namespace {

using base::failure;
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

Framebuffer::Framebuffer(drmclient::Card& card, drmclient::Output& output, const FramebufferOptions& options)
    : presentation_{options.mode, options.rotation, options.scaling, options.direct_color},
      number_(options.number),
      backing_store_(memory_bytes_for(options)),
      id_(options.id),
      presenter_(
          card, output, backing_store_, damage_, statistics_,
          {options.on_close, options.outputs, options.terminals,
           options.follow_monitor_mode ? std::optional(options.mode) : std::nullopt, options.pressure}) {
  const drmclient::Size visible = turned(options.mode.size(), options.rotation);
  FramebufferState at_start;
  at_start.mode = options.mode;
  fb_var_screeninfo wanted{};
  wanted.xres = visible.width;
  wanted.yres = visible.height;
  wanted.xres_virtual = options.virtual_size.width;
  wanted.yres_virtual = options.virtual_size.height;
  wanted.bits_per_pixel = options.depth;
  const auto checked =
      check_var(wanted, {output.info(), presentation_, at_start, backing_store_.size_bytes()});
  if (!checked) {
    throw std::system_error(checked.error(),
                            "a virtual screen of " + std::to_string(options.virtual_size.width) + "x" +
                                std::to_string(options.virtual_size.height) + " with " +
                                std::to_string(options.depth) + " bits per pixel does not fit in " +
                                std::to_string(backing_store_.size_bytes()) + " bytes");
  }
  state_.var = state_.shown_var = checked->var;
  state_.fb_state = state_.shown_fb_state = checked->fb_state;
  if (checked->fb_state.layout.format.visual == Visual::directcolor) {
    color_map_ = make_ramp(checked->fb_state.layout.format);
  }
}

Framebuffer::~Framebuffer() = default;

/// Returns the current state with the current palette.
FramebufferState Framebuffer::fb_state() const {
  const auto lock = lock_state();
  FramebufferState fb_state = state_.fb_state;
  fb_state.palette = make_palette(fb_state.layout.format, color_map_);
  return fb_state;
}

void Framebuffer::update_writers() {
  presenter_.set_writers({open_writers_, writing_programs_, written_ && !mapped_});
}

int Framebuffer::open(const Opener& opener) {
  const std::lock_guard lock(mutex_);
  if (const int error = file_limit_.take(opener.user); error != 0) return error;
  if (opener.writable) {
    try {
      writing_programs_->add(opener.client_vt);
    } catch (...) {
      file_limit_.release(opener.user);
      throw;
    }
    if (open_writers_++ == 0) mapped_ = written_ = false;
    update_writers();
  }
  ++open_files_;
  return 0;
}

void Framebuffer::close(const Opener& opener) {
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    last = --open_files_ == 0;
    file_limit_.release(opener.user);
    if (opener.writable) {
      --open_writers_;
      writing_programs_->remove(opener.client_vt);
      update_writers();
    }
  }
  // The kernel delivers every changed page before it releases a file. No caller waits for this flush.
  if (last) static_cast<void>(flush({}));
}

std::optional<int> Framebuffer::ioctl(const IoctlRequest& request, const Later& later) {
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
      presenter_.at_vblank([later](int error) { later([error] { return -error; }); });
      return std::nullopt;
    case FBIOGET_VBLANK:
      return get_vblank(request);
    case FBIOGET_CON2FBMAP:
      return -get_console_map(number_, *request.memory, request.argument);
    case FBIOPUT_CON2FBMAP:
      return -put_console_map(number_, *request.memory, request.argument);
    case cursor_command:
      // No cursor, as with every DRM driver. fb_compat_ioctl() does not have this number.
      return request.abi == Abi::lp64 ? -EINVAL : -ENOTTY;
    default:
      return -ENOTTY;
  }
}

int Framebuffer::get_var(const IoctlRequest& request) {
  fb_var_screeninfo var;
  {
    const auto lock = lock_state();
    var = state_.var;
  }
  return -copy_to_user(*request.memory, request.argument, var);
}

int Framebuffer::get_fix(const IoctlRequest& request) {
  Layout layout;
  {
    const auto lock = lock_state();
    layout = state_.fb_state.layout;
  }
  const fb_fix_screeninfo fix = make_fix(id_, layout, backing_store_.size_bytes());
  return -write_fix(fix, request.abi, *request.memory, request.argument);
}

/// Follows the order of checks in do_fb_ioctl() and fb_set_var().
std::optional<int> Framebuffer::put_var(const IoctlRequest& request, const Later& later) {
  fb_var_screeninfo wanted;
  if (const int error = copy_from_user(*request.memory, request.argument, wanted); error != 0) return -error;
  wanted.activate &= ~static_cast<uint32_t>(FB_ACTIVATE_KD_TEXT);
  const auto output = presenter_.output();

  // Not held while the program's memory is written, because a program can delay that without limit.
  std::unique_lock lock = lock_state();
  if ((wanted.activate & FB_ACTIVATE_INV_MODE) != 0) {
    // "Delete this mode": fbemu has no list of modes to delete from, but the current mode is in use.
    const bool current = wanted.xres == state_.var.xres && wanted.yres == state_.var.yres &&
                         (wanted.pixclock == 0 || wanted.pixclock == state_.var.pixclock);
    lock.unlock();
    return current ? -EINVAL : -copy_to_user(*request.memory, request.argument, wanted);
  }
  const bool forced = (wanted.activate & FB_ACTIVATE_FORCE) != 0;
  if (!forced &&
      std::ranges::equal(std::as_bytes(std::span(&wanted, 1)), std::as_bytes(std::span(&state_.var, 1)))) {
    lock.unlock();
    return -copy_to_user(*request.memory, request.argument, wanted);
  }
  const auto checked =
      check_var(wanted, {*output, presentation_, state_.fb_state, backing_store_.size_bytes()});
  if (!checked) return -checked.error().value();
  if ((wanted.activate & FB_ACTIVATE_MASK) != FB_ACTIVATE_NOW) {
    lock.unlock();
    return -copy_to_user(*request.memory, request.argument, checked->var);
  }

  // Unblanks too, because the commit of drm_fb_helper_set_par() makes the output active.
  change_to({checked->var, checked->fb_state, checked->var, true}, request, later);
  return std::nullopt;
}

/// Requires that mutex_ is held.
void Framebuffer::change_to(const Change& change, const IoctlRequest& request, const Later& later) {
  const ProgramFormat before = state_.fb_state.layout.format;
  const ProgramFormat& format = change.fb_state.layout.format;
  // A ramp shows the program's colours unchanged.
  if (format != before && format.visual == Visual::directcolor) color_map_ = make_ramp(format);
  state_.var = change.var;
  state_.fb_state = change.fb_state;
  const uint64_t number = ++state_.changes;
  FramebufferState shown = change.fb_state;
  shown.palette = make_palette(format, color_map_);
  presenter_.show(shown, [=, this](int error) {
    if (error == 0 && change.unblanks) presenter_.set_power(drmclient::Power::on);
    {
      const std::lock_guard lock(outcomes_mutex_);
      outcomes_.push_back({number, error, change.var, change.fb_state, change.unblanks});
    }
    later([=] {
      return error != 0 ? -error : -copy_to_user(*request.memory, request.argument, change.answer);
    });
  });
}

std::unique_lock<std::mutex> Framebuffer::lock_state() const {
  std::unique_lock lock(mutex_);
  std::vector<Outcome> outcomes;
  {
    const std::lock_guard outcomes_lock(outcomes_mutex_);
    std::swap(outcomes, outcomes_);
  }
  for (const Outcome& outcome : outcomes) {
    if (outcome.error == 0) {
      state_.shown_var = outcome.var;
      state_.shown_fb_state = outcome.fb_state;
      if (outcome.unblanked) state_.blank_level = FB_BLANK_UNBLANK;
    } else if (outcome.change == state_.changes) {
      state_.var = state_.shown_var;
      state_.fb_state = state_.shown_fb_state;
    }
  }
  return lock;
}

/// Applies only the offsets and the YWRAP bit, as fb_pan_display() does; the caller's structure is returned
/// unmodified.
std::optional<int> Framebuffer::pan(const IoctlRequest& request, const Later& later) {
  fb_var_screeninfo wanted;
  if (const int error = copy_from_user(*request.memory, request.argument, wanted); error != 0) return -error;

  const auto lock = lock_state();
  const bool wraps = (wanted.vmode & FB_VMODE_YWRAP) != 0;
  // fb_pan_display() tests FB_VMODE_YWRAP only if yoffset is not 0.
  if (!offsets_fit(wanted.xoffset, wanted.yoffset, wraps && wanted.yoffset > 0, state_.fb_state))
    return -EINVAL;
  fb_var_screeninfo var = state_.var;
  var.xoffset = wanted.xoffset;
  var.yoffset = wanted.yoffset;
  var.vmode = wraps ? var.vmode | FB_VMODE_YWRAP : var.vmode & ~static_cast<uint32_t>(FB_VMODE_YWRAP);
  FramebufferState fb_state = state_.fb_state;
  fb_state.offset = {wanted.xoffset, wanted.yoffset};
  fb_state.wraps = wraps;
  change_to({var, fb_state, wanted, false}, request, later);
  return std::nullopt;
}

/// Follows fb_cmap_to_user(): transparency is never written, and a length beyond the map is no error.
int Framebuffer::get_color_map(const IoctlRequest& request) {
  UserColorMap wanted;
  UserMemory& memory = *request.memory;
  if (const int error = read_color_map(request.abi, memory, request.argument, wanted); error != 0)
    return -error;
  if (wanted.start >= ColorMap::entries || wanted.len == 0) return -EINVAL;
  const uint32_t count = std::min(wanted.len, ColorMap::entries - wanted.start);
  ColorMap map;
  {
    const std::lock_guard lock(mutex_);
    map = color_map_;
  }
  const auto write = [&](uint64_t address, const std::array<uint16_t, ColorMap::entries>& channel) {
    return memory.write(address, std::as_bytes(std::span(channel).subspan(wanted.start, count)));
  };
  if (const int error = write(wanted.red, map.red()); error != 0) return -error;
  if (const int error = write(wanted.green, map.green()); error != 0) return -error;
  return -write(wanted.blue, map.blue());
}

/// Follows fb_set_user_cmap() and drm_fb_helper_setcmap(), but stores all 256 entries at every depth (the
/// kernel: 16 at true colour). At true colour the entries change no pixel, as in the kernel.
int Framebuffer::put_color_map(const IoctlRequest& request) {
  constexpr uint32_t too_long = 0x4000'0000;                // len * 2 overflows an int
  constexpr uint32_t longest_allocation = 2 * 1024 * 1024;  // len * 2 bytes from kmalloc()
  UserColorMap wanted;
  UserMemory& memory = *request.memory;
  if (const int error = read_color_map(request.abi, memory, request.argument, wanted); error != 0)
    return -error;
  if (wanted.len >= too_long) return -E2BIG;
  if (wanted.len == 0) return -EINVAL;
  if (wanted.len > longest_allocation) return -ENOMEM;

  // The kernel copies the whole arrays before it checks `start`. Entries beyond the map's size are only
  // probed.
  const uint32_t kept = std::min(wanted.len, ColorMap::entries);
  std::array<std::array<uint16_t, ColorMap::entries>, 4> channels;
  const std::array<uint64_t, 4> addresses{wanted.red, wanted.green, wanted.blue, wanted.transp};
  for (size_t i = 0; i < channels.size(); ++i) {
    if (i == 3 && addresses[i] == 0) break;
    const auto entries = std::as_writable_bytes(std::span(channels[i]).first(kept));
    if (const int error = memory.read(addresses[i], entries); error != 0) return -error;
    const uint64_t rest = (uint64_t{wanted.len} - kept) * sizeof(uint16_t);
    if (const int error = probe(memory, addresses[i] + entries.size(), rest); error != 0) return -error;
  }
  if (wanted.start > static_cast<uint32_t>(std::numeric_limits<int32_t>::max())) return -EINVAL;
  if (wanted.start + wanted.len > ColorMap::entries) return -EINVAL;
  const auto lock = lock_state();
  const auto stored = [&](size_t channel) { return std::span(channels.at(channel)).first(kept); };
  color_map_.store(wanted.start, stored(0), stored(1), stored(2));
  if (state_.fb_state.layout.format.uses_color_map()) {
    FramebufferState recoloured = state_.fb_state;
    recoloured.palette = make_palette(recoloured.layout.format, color_map_);
    presenter_.show(recoloured, {});
  }
  return 0;
}

/// Reports the number of vblanks, including those that no program waited for. No DRM driver implements this.
int Framebuffer::get_vblank(const IoctlRequest& request) {
  fb_vblank vblank{};
  vblank.flags = FB_VBLANK_HAVE_COUNT;
  vblank.count = presenter_.vblank_count();
  return -copy_to_user(*request.memory, request.argument, vblank);
}

int Framebuffer::blank(const IoctlRequest& request) {
  using drmclient::Power;
  // As in drm_fb_helper_blank(), FB_BLANK_NORMAL is standby, because the syncs stay on.
  constexpr std::array levels{Power::on, Power::standby, Power::suspend, Power::standby, Power::off};
  static_assert(levels.size() == FB_BLANK_POWERDOWN + 1);
  const auto level = static_cast<uint32_t>(request.argument);
  if (request.argument >= levels.size()) return -EINVAL;
  const auto lock = lock_state();
  state_.blank_level = level;
  presenter_.set_power(levels[level]);
  return 0;
}

size_t Framebuffer::readable(uint64_t offset, size_t size) const {
  const uint64_t total = backing_store_.size_bytes();
  return offset >= total ? 0 : static_cast<size_t>(std::min<uint64_t>(size, total - offset));
}

void Framebuffer::read(uint64_t offset, std::span<std::byte> into) {
  ++statistics_.reads;
  backing_store_.load(offset, into);
}

Result<size_t> Framebuffer::write(uint64_t offset, std::span<const std::byte> from) {
  ++statistics_.writes;
  const uint64_t total = backing_store_.size_bytes();
  if (offset > total) return failure(EFBIG);
  if (from.empty()) return 0;
  if (offset == total) return failure(from.size() > total ? EFBIG : ENOSPC);
  const size_t fits = readable(offset, from.size());
  backing_store_.store(offset, from.first(fits));
  written_ = true;
  statistics_.changed_bytes += fits;
  if (damage_.add_written({offset, offset + fits})) presenter_.damaged();
  return fits;
}

void Framebuffer::write_back(uint64_t offset, std::span<const std::byte> from) {
  ++statistics_.write_backs;
  const size_t inside = readable(offset, from.size());
  if (inside == 0) return;
  backing_store_.store(offset, from.first(inside));
  mapped_ = true;
  statistics_.changed_bytes += inside;
  if (damage_.add_written_back({offset, offset + inside})) presenter_.damaged();
}

bool Framebuffer::flush(std::function<void(int error)> done) {
  // In this order, because damage taken from the log keeps the presenter busy until the driver has it.
  if (damage_.empty() && presenter_.idle()) return false;
  presenter_.flush(std::move(done));
  return true;
}

Framebuffer::Status Framebuffer::status() const {
  Status status;
  status.presenter = presenter_.status();
  const auto lock = lock_state();
  status.fb_state = state_.fb_state;
  status.open_files = open_files_;
  status.open_writers = open_writers_;
  status.blank_level = state_.blank_level;
  status.id = id_;
  return status;
}

}  // namespace fbemu
