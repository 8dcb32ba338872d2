#include "drmclient/kms/kms_output.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "drmclient/kms/damage_clips.h"
#include "drmclient/kms/kms_interface_factory.h"

namespace drmclient {

KmsCardParts::KmsCardParts(const base::Clock& card_clock) : clock(card_clock) {}

KmsCardParts::~KmsCardParts() = default;

KmsOutput::KmsOutput(uint32_t connector_id, KmsCardParts& card) : connector_id_(connector_id), card_(card) {}

/// Returns the pipe of an enabled output. Errors: EINVAL without a mode.
base::Result<EnabledPipe*> KmsOutput::enabled() const {
  if (!pipe_) return base::failure(EINVAL);
  return pipe_.get();
}

base::Result<DumbBuffer*> KmsOutput::as_dumb_buffer(ScanoutBuffer& buffer, const Mode& mode,
                                                    Point origin) const {
  auto* dumb = dynamic_cast<DumbBuffer*>(&buffer);
  if (dumb == nullptr || &dumb->device() != card_.device.lock().get()) return base::failure(EINVAL);
  if (!is_inside(mode.size(), origin, buffer.size())) return base::failure(EINVAL);
  return dumb;
}

base::Result<std::unique_ptr<EnabledPipe>> KmsOutput::make_pipe(const DrmDevice& device) {
  auto pipe = BASE_TRY(card_.connectors.pipe_of(device, connector_id_));
  try {
    auto made = std::make_unique<EnabledPipe>(std::move(pipe), device, card_.quirks, card_.clock);
    card_.epoll.watch(made->vblank().timer_descriptor());
    return made;
  } catch (const std::system_error& error) {
    return tl::make_unexpected(error.code());
  }
}

base::Result<void> KmsOutput::check_mode(const Mode& mode, ScanoutBuffer& buffer) {
  const DumbBuffer* const dumb = BASE_TRY(as_dumb_buffer(buffer, mode, {}));
  const DrmDevice& device = dumb->device();
  const KmsPipe pipe = BASE_TRY(card_.connectors.pipe_of(device, connector_id_));
  const DrmMaster master = BASE_TRY(DrmMaster::take(device));
  return make_kms_interface(device, pipe)->test_mode(pipe, mode, *dumb);
}

base::Result<void> KmsOutput::set_mode(const Mode& mode, ScanoutBuffer& buffer, Point origin) {
  DumbBuffer* const dumb = BASE_TRY(as_dumb_buffer(buffer, mode, origin));
  if (pipe_) return pipe_->set_mode(mode, *dumb, origin);
  auto made = BASE_TRY(make_pipe(dumb->device()));
  BASE_TRY(made->set_mode(mode, *dumb, origin));
  pipe_ = std::move(made);
  return {};
}

bool KmsOutput::scans_out_our_fb() {
  if (!pipe_) return true;
  const auto shown = pipe_->scans_out_front();
  return shown && *shown;
}

bool KmsOutput::shows_previous_fb() {
  const uint32_t shown = pipe_ ? pipe_->framebuffer_shown() : 0;
  if (shown == 0) return false;
  return std::ranges::any_of(card_.outputs, [shown](const std::unique_ptr<KmsOutput>& output) {
    return output->pipe_ && output->pipe_->previous_framebuffer() == shown;
  });
}

void KmsOutput::release() {
  // If this fails, destroying the last buffer closes the card, and the kernel restores its console.
  if (pipe_) pipe_->restore();
  release_without_restore();
}

void KmsOutput::release_without_restore() {
  if (!pipe_) return;
  quirks_ = quirks_of(*pipe_);
  pipe_.reset();
  // Another output can use the CRTC now.
  card_.connectors.forget();
}

base::Result<bool> KmsOutput::submit(ScanoutBuffer& buffer, Point origin, std::span<const Rect> damage) {
  EnabledPipe* const pipe = BASE_TRY(enabled());
  DumbBuffer* const dumb = BASE_TRY(as_dumb_buffer(buffer, pipe->mode(), origin));
  const auto clamped = BASE_TRY(clamp_damage(damage, buffer.size()));
  return pipe->submit(*dumb, origin, clamped);
}

void KmsOutput::presented() {
  if (pipe_) pipe_->presented();
}

base::Result<void> KmsOutput::set_gamma(std::span<const GammaEntry> table) {
  return BASE_TRY(enabled())->set_gamma(table);
}

base::Result<void> KmsOutput::set_power(Power power) {
  return BASE_TRY(enabled())->set_power(power);
}

base::Result<void> KmsOutput::request_vblank() {
  EnabledPipe* const pipe = BASE_TRY(enabled());
  return pipe->vblank().request(pipe->front()->device(), pipe->pipe(), pipe->power() == Power::on);
}

std::optional<VblankEvent> KmsOutput::take(const DrmVblank& event) {
  const auto vblank = pipe_ ? pipe_->vblank().take(event) : std::nullopt;
  if (!vblank) return std::nullopt;
  return VblankEvent{this, vblank->sequence, vblank->time};
}

std::optional<VblankEvent> KmsOutput::read_timer() {
  const auto vblank = pipe_ ? pipe_->vblank().read_timer() : std::nullopt;
  if (!vblank) return std::nullopt;
  return VblankEvent{this, vblank->sequence, vblank->time};
}

base::Result<Capture> KmsOutput::capture() {
  const EnabledPipe* const pipe = BASE_TRY(enabled());
  const Size size = pipe->mode().size();
  if (pipe->power() != Power::on) return Capture{size, std::vector<uint32_t>(size.area())};
  return capture_buffer(*pipe->front(), Rect::of(size, pipe->origin()));
}

KmsOutput::Quirks KmsOutput::quirks_of(const EnabledPipe& pipe) {
  return {pipe.commit().api(), pipe.pipe().has_damage_clips(), pipe.front()->cpu_access().kind(),
          pipe.vblank().kind()};
}

DriverPaths KmsOutput::driver_paths() const {
  if (!pipe_ && !quirks_) return {"unknown", "unknown", "unknown", "unknown"};
  const Quirks quirks = pipe_ ? quirks_of(*pipe_) : *quirks_;
  const bool atomic = quirks.api == KmsApi::atomic;
  DriverPaths paths;
  paths.commit = atomic ? "atomic" : "legacy";
  paths.flush = atomic && quirks.damage_clips ? "atomic clips"
                : card_.quirks.dirty_unneeded ? "none"
                                              : "legacy dirty";
  constexpr std::array<std::string_view, mapping_kinds> mappings{"MAP_DUMB", "dma-buf", "shadow"};
  paths.mapping = mappings.at(static_cast<size_t>(quirks.mapping));
  constexpr std::array<std::string_view, 3> sources{"CRTC_QUEUE_SEQUENCE", "WAIT_VBLANK", "timer"};
  paths.vblank = sources.at(static_cast<size_t>(quirks.vblank));
  return paths;
}

}  // namespace drmclient
