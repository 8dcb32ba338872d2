#include "fbemu/framebuffer.h"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include "fbemu/pixels/program_format.h"

namespace fbemu {

using base::failure;
using base::MutexLock;
using base::Result;

Framebuffer::Framebuffer(drmclient::Card& card, drmclient::Output& output, const FramebufferOptions& options)
    : presentation_{options.mode, options.rotation, options.scaling, options.direct_color},
      number_(options.number),
      clears_(options.clear_on_close),
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

void Framebuffer::stop() {
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
  }
  presenter_.stop();
}

void Framebuffer::apply(const Outcome& outcome) const {
  if (outcome.result) {
    state_.shown_var = outcome.var;
    state_.shown_fb_state = outcome.fb_state;
    if (outcome.unblanked) state_.blank_level = FB_BLANK_UNBLANK;
  } else if (outcome.change == state_.changes) {
    state_.var = state_.shown_var;
    state_.fb_state = state_.shown_fb_state;
  }
}

void Framebuffer::update_state() const {
  std::vector<Outcome> outcomes;
  {
    const MutexLock lock(outcomes_mutex_);
    std::swap(outcomes, outcomes_);
  }
  for (const Outcome& outcome : outcomes) apply(outcome);
}

/// Returns the current state with the current palette.
FramebufferState Framebuffer::fb_state() const {
  const MutexLock lock(mutex_);
  update_state();
  FramebufferState fb_state = state_.fb_state;
  fb_state.palette = make_palette(fb_state.layout.format, color_map_);
  return fb_state;
}

Result<void> Framebuffer::completion_result(int error) {
  if (error != 0) return failure(error);
  return {};
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
  written_ = changed_ = true;
  statistics_.changed_bytes += fits;
  if (damage_.add_written({offset, offset + fits})) presenter_.damaged();
  return fits;
}

void Framebuffer::write_back(uint64_t offset, std::span<const std::byte> from) {
  ++statistics_.write_backs;
  const size_t inside = readable(offset, from.size());
  if (inside == 0) return;
  backing_store_.store(offset, from.first(inside));
  mapped_ = changed_ = true;
  statistics_.changed_bytes += inside;
  if (damage_.add_written_back({offset, offset + inside})) presenter_.damaged();
}

bool Framebuffer::flush(Flushed done) {
  // In this order, because damage taken from the log keeps the presenter busy until the driver has it.
  if (damage_.empty() && presenter_.idle()) return false;
  Presenter::Completion completion;
  if (done) completion = [done = std::move(done)](int error) { done(completion_result(error)); };
  presenter_.flush(std::move(completion));
  return true;
}

Framebuffer::Status Framebuffer::status() const {
  Status status;
  status.presenter = presenter_.status();
  const MutexLock lock(mutex_);
  update_state();
  status.fb_state = state_.fb_state;
  status.open_files = open_files_;
  status.open_writers = open_writers_;
  status.blank_level = state_.blank_level;
  status.id = id_;
  return status;
}

}  // namespace fbemu
