#include "drmclient/kms/kms_output.h"
#include "drmclient/kms/damage_clips.h"
#include "drmclient/kms/kms_interface_factory.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "drmclient/kms/drm_resources.h"

namespace drmclient {

bool is_gone(const DrmDevice& device) {
  return ::access(device.path().c_str(), F_OK) != 0 && errno == ENOENT;
}

KmsOutput::KmsOutput(KmsPipe pipe, OutputId output, const DrmDevice& device, CardQuirks& quirks,
                     const base::Clock& clock)
    : pipe_(std::move(pipe)),
      output_(output),
      before_(SavedCrtc::read(device, pipe_.crtc_id)),
      commit_(make_kms_interface(device, pipe_)),
      vblank_(output, clock),
      quirks_(quirks),
      clock_(clock) {}

base::Result<void> KmsOutput::set_mode(const Mode& mode, DumbBuffer& buffer, Point origin) {
  const auto uploaded = buffer.cpu_access().upload_all();
  if (!uploaded) return tl::make_unexpected(uploaded.error());
  const auto master = DrmMaster::take(buffer.device());
  if (!master) return tl::make_unexpected(master.error());
  if (const auto set = commit_->set_mode(pipe_, mode, buffer, origin); !set) return set;
  mode_ = mode;
  front_ = &buffer;
  origin_ = origin;
  power_ = Power::on;
  seen_at_.reset();
  vblank_.start(mode);
  // Most drivers upload the whole buffer at a mode set; vmwgfx's legacy unit waits to be told.
  return tell_dirty(master->fd(), buffer, {});
}

base::Result<bool> KmsOutput::scans_out_front() {
  seen_at_.reset();
  const DrmModeCrtc crtc(::drmModeGetCrtc(front_->device().fd(), pipe_.crtc_id));
  if (!crtc && (errno == ENODEV || is_gone(front_->device()))) return base::failure(ENODEV);
  // If the kernel cannot say for another reason, it is left at that.
  const bool shown = !crtc || (crtc->mode_valid != 0 && crtc->buffer_id == front_->framebuffer_id());
  if (shown) seen_at_ = clock_.now();
  return shown;
}

/// The last answer of scans_out_front() if it is of this frame, else a new one.
base::Result<bool> KmsOutput::shown_this_frame() {
  const auto seen_at = seen_at_;
  const auto shown = seen_at && clock_.now() - *seen_at < mode_.frame_period() ? true : scans_out_front();
  seen_at_.reset();
  return shown;
}

uint32_t KmsOutput::framebuffer_shown() const {
  if (front_ == nullptr) return 0;
  const DrmModeCrtc crtc(::drmModeGetCrtc(front_->device().fd(), pipe_.crtc_id));
  return crtc && crtc->mode_valid != 0 ? crtc->buffer_id : 0;
}

base::Result<bool> KmsOutput::submit(DumbBuffer& buffer, Point origin, std::span<const Rect> damage) {
  submitted_.reset();
  // Another master may have set a mode of its own meanwhile, or turned the CRTC off at its end.
  const auto shown = shown_this_frame();
  if (!shown) return tl::make_unexpected(shown.error());
  if (!*shown) {
    const auto again = set_mode(mode_, buffer, origin);
    if (again) return false;
    return is_gone(buffer.device()) ? base::failure(ENODEV) : tl::make_unexpected(again.error());
  }
  const bool flip = &buffer != front_ || origin != origin_;
  if (!flip && damage.empty()) return false;
  const auto uploaded = flip ? buffer.cpu_access().upload_unseen() : buffer.cpu_access().upload(damage);
  if (!uploaded) return base::failure(is_gone(buffer.device()) ? ENODEV : uploaded.error().value());
  const auto begin = clock_.now();
  const auto flushed = flush(buffer, origin, damage);
  if (!flushed) return base::failure(is_gone(buffer.device()) ? ENODEV : flushed.error().value());
  front_ = &buffer;
  origin_ = origin;
  submitted_ = begin;
  return *flushed;
}

void KmsOutput::presented() {
  if (submitted_) vblank_.presented(*submitted_, clock_.now());
  submitted_.reset();
}

/// True where a flip event follows.
base::Result<bool> KmsOutput::flush(DumbBuffer& buffer, Point origin, std::span<const Rect> damage) {
  const bool flip = &buffer != front_ || origin != origin_;
  const bool clips = commit_->api() == KmsApi::atomic && pipe_.has_damage_clips();
  if (!flip && !clips && quirks_.dirty_unneeded) return false;
  const auto master =
      flip || clips ? DrmMaster::take(buffer.device()) : DrmMaster::take_quietly(buffer.device());
  if (!master) return tl::make_unexpected(master.error());
  bool event_follows = false;
  if (flip || clips) {
    const auto shown = commit_->show(pipe_, mode_, buffer, origin, damage, output_);
    if (!shown) return shown;
    event_follows = *shown;
  }
  if (!clips && !damage.empty()) {
    if (const auto told = tell_dirty(master->fd(), buffer, damage); !told) {
      return tl::make_unexpected(told.error());
    }
  }
  return event_follows;
}

base::Result<void> KmsOutput::tell_dirty(int fd, const DumbBuffer& buffer, std::span<const Rect> damage) {
  if (quirks_.dirty_unneeded) return {};
  const auto told = mark_dirty(fd, buffer, damage);
  if (told || told.error().value() != ENOSYS) return told;
  quirks_.dirty_unneeded = true;
  return {};
}

void KmsOutput::restore() const {
  if (!before_ || front_ == nullptr) return;
  if (const auto master = DrmMaster::take_quietly(front_->device())) {
    static_cast<void>(before_->restore(master->fd()));
  }
}

base::Result<void> KmsOutput::set_power(Power power) {
  const auto master = DrmMaster::take(front_->device());
  if (!master) return tl::make_unexpected(master.error());
  if (const auto set = commit_->set_power(pipe_, power); !set) return set;
  power_ = power;
  return {};
}

base::Result<void> KmsOutput::set_gamma(std::span<const GammaEntry> table) {
  if (table.empty() || table.size() != pipe_.gamma_entries()) return base::failure(EINVAL);
  const auto master = DrmMaster::take(front_->device());
  if (!master) return tl::make_unexpected(master.error());
  return commit_->set_gamma(pipe_, table);
}

}  // namespace drmclient
