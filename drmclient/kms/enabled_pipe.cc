#include "drmclient/kms/enabled_pipe.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "drmclient/card.h"
#include "drmclient/kms/damage_clips.h"
#include "drmclient/kms/drm_resources.h"
#include "drmclient/kms/kms_interface_factory.h"

namespace drmclient {
namespace {

/// Attempts of restore() to become DRM master and the time between two of them. Together they are longer than
/// the call of a client that holds DRM master for single calls: up to a frame (DIRTYFB).
constexpr int restore_attempts = 50;
constexpr std::chrono::milliseconds restore_interval{2};

/// Returns `error` of a call for `device` as a failure, or ENODEV if its card was unplugged.
tl::unexpected<std::error_code> device_failure(const DrmDevice& device, const std::error_code& error) {
  return is_unplugged(device) ? base::failure(ENODEV) : tl::make_unexpected(error);
}

/// Returns true if DIRTYFB failed with `error` because the driver scans buffers out directly.
bool is_dirty_unneeded(const std::error_code& error) {
  return error.value() == ENOSYS;
}

}  // namespace

bool is_unplugged(const DrmDevice& device) {
  return ::access(device.path().c_str(), F_OK) != 0 && errno == ENOENT;
}

EnabledPipe::EnabledPipe(KmsPipe pipe, const DrmDevice& device, CardQuirks& quirks, const base::Clock& clock)
    : pipe_(std::move(pipe)),
      saved_crtc_(SavedCrtc::read(device, pipe_.crtc_id)),
      commit_(make_kms_interface(device, pipe_)),
      vblank_(pipe_.connector_id, clock),
      quirks_(quirks),
      clock_(clock) {}

base::Result<void> EnabledPipe::set_mode(const Mode& mode, DumbBuffer& buffer, Point origin) {
  const CpuAccess::Upload uploaded = BASE_TRY(buffer.cpu_access().upload_all());
  const DrmMaster master = BASE_TRY(DrmMaster::take(buffer.device()));
  BASE_TRY(commit_->set_mode(pipe_, mode, buffer, origin));
  mode_ = mode;
  front_ = &buffer;
  origin_ = origin;
  power_ = Power::on;
  seen_at_.reset();
  vblank_.start(mode);
  // Most drivers upload the whole buffer at a mode set; vmwgfx's legacy unit uploads only reported damage.
  return report_dirty(master.fd(), buffer, {});
}

base::Result<bool> EnabledPipe::scans_out_front() {
  seen_at_.reset();
  const DrmModeCrtc crtc(::drmModeGetCrtc(front_->device().fd(), pipe_.crtc_id));
  const std::error_code error(errno, std::generic_category());
  if (!crtc && (is_unplugged(error) || is_unplugged(front_->device()))) return base::failure(ENODEV);
  // If the call failed for another reason, the buffer counts as shown.
  const bool shown = !crtc || (crtc->mode_valid != 0 && crtc->buffer_id == front_->framebuffer_id());
  if (shown) seen_at_ = clock_.now();
  return shown;
}

/// Returns the last result of scans_out_front() if it belongs to this frame, or else a new one.
base::Result<bool> EnabledPipe::shown_this_frame() {
  const auto seen_at = seen_at_;
  const auto shown = seen_at && clock_.now() - *seen_at < mode_.frame_period() ? true : scans_out_front();
  seen_at_.reset();
  return shown;
}

uint32_t EnabledPipe::framebuffer_shown() const {
  if (front_ == nullptr) return 0;
  const DrmModeCrtc crtc(::drmModeGetCrtc(front_->device().fd(), pipe_.crtc_id));
  return crtc && crtc->mode_valid != 0 ? crtc->buffer_id : 0;
}

base::Result<bool> EnabledPipe::submit(DumbBuffer& buffer, Point origin, std::span<const Rect> damage) {
  submitted_.reset();
  // Another master may have set its own mode, or turned the CRTC off when it exited.
  const bool shown = BASE_TRY(shown_this_frame());
  if (!shown) {
    if (const auto set = set_mode(mode_, buffer, origin); !set) {
      return device_failure(buffer.device(), set.error());
    }
    return false;
  }
  const bool flip = is_flip(buffer, origin);
  if (!flip && damage.empty()) return false;
  const auto uploaded = flip ? buffer.cpu_access().upload_unseen() : buffer.cpu_access().upload(damage);
  if (!uploaded) return device_failure(buffer.device(), uploaded.error());
  const auto begin = clock_.now();
  const auto flushed = flush(buffer, origin, damage);
  if (!flushed) return device_failure(buffer.device(), flushed.error());
  front_ = &buffer;
  origin_ = origin;
  submitted_ = begin;
  return *flushed;
}

void EnabledPipe::presented() {
  if (submitted_) vblank_.presented(*submitted_, clock_.now());
  submitted_.reset();
}

/// Returns true if a flip event follows.
base::Result<bool> EnabledPipe::flush(DumbBuffer& buffer, Point origin, std::span<const Rect> damage) {
  const bool flip = is_flip(buffer, origin);
  const bool clips = commit_->api() == KmsApi::atomic && pipe_.has_damage_clips();
  if (!flip && !clips && quirks_.dirty_unneeded) return false;
  const DrmMaster master =
      BASE_TRY(flip || clips ? DrmMaster::take(buffer.device()) : DrmMaster::take_quietly(buffer.device()));
  bool event_follows = false;
  if (flip || clips) {
    event_follows = BASE_TRY(commit_->show(pipe_, mode_, buffer, origin, damage, pipe_.connector_id));
  }
  if (!clips && !damage.empty()) BASE_TRY(report_dirty(master.fd(), buffer, damage));
  return event_follows;
}

base::Result<void> EnabledPipe::report_dirty(int fd, const DumbBuffer& buffer, std::span<const Rect> damage) {
  if (quirks_.dirty_unneeded) return {};
  const auto marked = mark_dirty(fd, buffer, damage);
  if (marked || !is_dirty_unneeded(marked.error())) return marked;
  quirks_.dirty_unneeded = true;
  return {};
}

void EnabledPipe::restore() const {
  if (!saved_crtc_ || front_ == nullptr) return;
  for (int attempt = 0; attempt < restore_attempts; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(restore_interval);
    const auto master = DrmMaster::take_quietly(front_->device());
    if (master) return static_cast<void>(saved_crtc_->restore(master->fd()));
    // A client that shows its own framebuffer is master for longer, and its picture must stay.
    if (!is_master_conflict(master.error()) || framebuffer_shown() != front_->framebuffer_id()) return;
  }
}

base::Result<void> EnabledPipe::set_power(Power power) {
  const DrmMaster master = BASE_TRY(DrmMaster::take(front_->device()));
  BASE_TRY(commit_->set_power(pipe_, power));
  power_ = power;
  return {};
}

base::Result<void> EnabledPipe::set_gamma(std::span<const GammaEntry> table) {
  if (table.empty() || table.size() != pipe_.gamma_entries()) return base::failure(EINVAL);
  const DrmMaster master = BASE_TRY(DrmMaster::take(front_->device()));
  return commit_->set_gamma(pipe_, table);
}

}  // namespace drmclient
