#include "drmclient/kms/kms_card.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "base/event_descriptors.h"
#include "drmclient/capture.h"
#include "drmclient/kms/damage_clips.h"
#include "drmclient/kms/kms_interface_factory.h"

namespace drmclient {
namespace {

using std::chrono::steady_clock;

/// Flip timeout; longer than a frame of any mode.
constexpr int flip_timeout_ms = 200;

/// Time until a probe() that could not probe the hardware is repeated.
constexpr std::chrono::seconds time_to_next_probe{1};

}  // namespace

KmsCard::KmsCard(KmsOptions options, const base::Clock& clock, const std::string& consoles)
    : options_(std::move(options)),
      clock_(clock),
      mappings_(std::make_shared<MappingCache>(options_.mapping_limit_bytes)),
      epoll_(base::make_epoll()),
      monitor_(options_.path),
      fbcon_wait_(options_.path, consoles, clock),
      deferred_event_(base::make_event()) {
  const DrmDevice device(options_.path, options_.api);
  const DrmModeResources resources(::drmModeGetResources(device.fd()));
  if (!resources) {
    throw std::system_error(errno, std::generic_category(),
                            "the card " + options_.path + " (" + device.driver() +
                                ") has no display outputs; choose another one with --card");
  }
  info_ = {device.driver(), options_.path, {resources->max_width, resources->max_height}, true};
  base::watch_input(epoll_, monitor_.descriptor());
  base::watch_input(epoll_, resume_monitor_.descriptor());
  base::watch_input(epoll_, probe_timer_.get());
  base::watch_input(epoll_, deferred_event_.get());
}

KmsCard::~KmsCard() = default;

std::unique_ptr<Card> open_kms_card(const KmsOptions& options) {
  return std::make_unique<KmsCard>(options);
}

base::Result<std::shared_ptr<const DrmDevice>> KmsCard::open_device() {
  if (auto device = device_.lock()) return device;
  if (fbcon_wait_.defer_open()) return base::failure(ENODEV);
  try {
    auto device = std::make_shared<const DrmDevice>(options_.path, options_.api);
    // Another card may have the number of an unplugged one.
    if (device->driver() != info_.driver) return base::failure(ENODEV);
    base::watch_input(epoll_, device->fd());
    device_ = device;
    // While the node was closed, other programs may have used the card, or the card may have been replaced.
    connectors_.forget();
    return device;
  } catch (const std::system_error& error) {
    const int code = error.code().value();
    return base::failure(is_node_missing(code) ? ENODEV : code);
  }
}

base::Result<std::vector<Output>> KmsCard::probe() {
  const auto device = open_device();
  if (!device) {
    // No event reports that the console has attached or that the timeout has passed.
    if (fbcon_wait_.is_waiting()) probe_later();
    return tl::make_unexpected(device.error());
  }
  auto connectors = BASE_TRY(connectors_.read(**device));
  if (std::ranges::any_of(connectors, &KmsConnector::unprobed)) probe_later();
  std::vector<Output> outputs;
  for (KmsConnector& connector : connectors) {
    Output& output = outputs.emplace_back(std::move(connector.output));
    if (options_.format) {
      const bool supported = std::ranges::find(output.formats, *options_.format) != output.formats.end();
      output.formats.clear();
      if (supported) output.formats.push_back(*options_.format);
    }
  }
  return outputs;
}

void KmsCard::probe_later() {
  static_cast<void>(probe_timer_.set(steady_clock::now() + time_to_next_probe));
}

base::Result<std::unique_ptr<ScanoutBuffer>> KmsCard::create_buffer(Size size, PixelFormat format) {
  if (size.width < smallest_side || size.height < smallest_side || size.width > largest_side ||
      size.height > largest_side || bytes_per_pixel(format) == 0 ||
      (options_.format && format != *options_.format)) {
    return base::failure(EINVAL);
  }
  const auto device = BASE_TRY(open_device());
  return BASE_TRY(DumbBuffer::create(device, size, format, mappings_, options_.mapping));
}

base::Result<DumbBuffer*> KmsCard::as_dumb_buffer(ScanoutBuffer& buffer, const Mode& mode,
                                                  Point origin) const {
  auto* dumb = dynamic_cast<DumbBuffer*>(&buffer);
  if (dumb == nullptr || &dumb->device() != device_.lock().get()) return base::failure(EINVAL);
  if (!is_inside(mode.size(), origin, buffer.size())) return base::failure(EINVAL);
  return dumb;
}

KmsOutput* KmsCard::find_enabled(OutputId output) const {
  const auto found = enabled_outputs_.find(output);
  return found == enabled_outputs_.end() ? nullptr : found->second.get();
}

base::Result<std::unique_ptr<KmsOutput>> KmsCard::make_output(const DrmDevice& device, OutputId output) {
  auto pipe = BASE_TRY(connectors_.pipe_of(device, output));
  try {
    auto enabled = std::make_unique<KmsOutput>(std::move(pipe), output, device, card_quirks_, clock_);
    base::watch_input(epoll_, enabled->vblank().timer_descriptor());
    return enabled;
  } catch (const std::system_error& error) {
    return base::failure(error.code().value());
  }
}

base::Result<void> KmsCard::check_mode(OutputId output, const Mode& mode, ScanoutBuffer& buffer) {
  const DumbBuffer* const dumb = BASE_TRY(as_dumb_buffer(buffer, mode, {}));
  const DrmDevice& device = dumb->device();
  const KmsPipe pipe = BASE_TRY(connectors_.pipe_of(device, output));
  const DrmMaster master = BASE_TRY(DrmMaster::take(device));
  return make_kms_interface(device, pipe)->test_mode(pipe, mode, *dumb);
}

base::Result<void> KmsCard::set_mode(OutputId output, const Mode& mode, ScanoutBuffer& buffer, Point origin) {
  DumbBuffer* const dumb = BASE_TRY(as_dumb_buffer(buffer, mode, origin));
  KmsOutput* enabled = find_enabled(output);
  std::unique_ptr<KmsOutput> made;
  if (enabled == nullptr) {
    made = BASE_TRY(make_output(dumb->device(), output));
    enabled = made.get();
  }
  BASE_TRY(enabled->set_mode(mode, *dumb, origin));
  if (made) enabled_outputs_[output] = std::move(made);
  return {};
}

bool KmsCard::scans_out_our_fb(OutputId output) {
  KmsOutput* enabled = find_enabled(output);
  if (enabled == nullptr) return true;
  const auto shown = enabled->scans_out_front();
  return shown && *shown;
}

bool KmsCard::shows_previous_fb(OutputId output) {
  const KmsOutput* enabled = find_enabled(output);
  const uint32_t shown = enabled == nullptr ? 0 : enabled->framebuffer_shown();
  if (shown == 0) return false;
  return std::ranges::any_of(
      enabled_outputs_, [shown](const auto& entry) { return entry.second->previous_framebuffer() == shown; });
}

base::Result<void> KmsCard::check_master() {
  const auto device = BASE_TRY(open_device());
  if (is_unplugged(*device)) return base::failure(ENODEV);
  BASE_TRY(DrmMaster::take_quietly(*device));
  return {};
}

base::Result<void> KmsCard::present(OutputId output, ScanoutBuffer& buffer, Point origin,
                                    std::span<const Rect> damage) {
  const Frame frame{output, &buffer, origin, damage};
  return present_all({&frame, 1}).front();
}

std::vector<base::Result<void>> KmsCard::present_all(std::span<const Frame> frames) {
  std::vector<base::Result<void>> results;
  std::vector<OutputId> flipping;
  for (const Frame& frame : frames) {
    const auto submitted = submit(frame);
    if (submitted && *submitted) flipping.push_back(frame.output);
    results.push_back(submitted ? base::Result<void>() : tl::make_unexpected(submitted.error()));
  }
  if (!flipping.empty()) wait_for_flips(std::move(flipping));
  for (const Frame& frame : frames) {
    if (KmsOutput* enabled = find_enabled(frame.output); enabled != nullptr) enabled->presented();
  }
  return results;
}

base::Result<bool> KmsCard::submit(const Frame& frame) {
  KmsOutput* enabled = find_enabled(frame.output);
  if (enabled == nullptr) return base::failure(EINVAL);
  DumbBuffer* const dumb = BASE_TRY(as_dumb_buffer(*frame.buffer, enabled->mode(), frame.origin));
  const auto clamped = BASE_TRY(clamp_damage(frame.damage, frame.buffer->size()));
  return enabled->submit(*dumb, frame.origin, clamped);
}

void KmsCard::release(OutputId output) {
  // If this fails, destroying the last buffer closes the card, and the kernel restores its console.
  if (const KmsOutput* enabled = find_enabled(output); enabled != nullptr) enabled->restore();
  release_without_restore(output);
}

void KmsCard::release_without_restore(OutputId output) {
  const KmsOutput* enabled = find_enabled(output);
  if (enabled == nullptr) return;
  output_quirks_[output] = quirks_of(*enabled);
  enabled_outputs_.erase(output);
  // Another output can use the CRTC now.
  connectors_.forget();
}

base::Result<void> KmsCard::set_gamma(OutputId output, std::span<const GammaEntry> table) {
  KmsOutput* enabled = find_enabled(output);
  return enabled == nullptr ? base::failure(EINVAL) : enabled->set_gamma(table);
}

base::Result<void> KmsCard::set_power(OutputId output, Power power) {
  KmsOutput* enabled = find_enabled(output);
  return enabled == nullptr ? base::failure(EINVAL) : enabled->set_power(power);
}

base::Result<void> KmsCard::request_vblank(OutputId output) {
  KmsOutput* enabled = find_enabled(output);
  if (enabled == nullptr) return base::failure(EINVAL);
  return enabled->vblank().request(enabled->front()->device(), enabled->pipe(),
                                   enabled->power() == Power::on);
}

/// Reads the events of the card's node and stores vblanks in deferred_events_. Returns the outputs whose
/// flips are complete.
std::vector<OutputId> KmsCard::read_device(const DrmDevice& device) {
  const DrmEvents events = read_drm_events(device.fd());
  for (const DrmVblank& vblank : events.vblanks) {
    const auto output = static_cast<OutputId>(vblank.user_data);
    KmsOutput* enabled = find_enabled(output);
    const auto event = enabled == nullptr ? std::nullopt : enabled->vblank().take(vblank, output);
    if (event) deferred_events_.emplace_back(*event);
  }
  std::vector<OutputId> flipped;
  for (const uint64_t flip : events.flips) flipped.push_back(static_cast<OutputId>(flip));
  return flipped;
}

void KmsCard::wait_for_flips(std::vector<OutputId> outputs) {
  const auto device = device_.lock();
  if (!device) return;
  const auto deadline = steady_clock::now() + std::chrono::milliseconds(flip_timeout_ms);
  while (true) {
    for (const OutputId flipped : read_device(*device)) std::erase(outputs, flipped);
    if (outputs.empty()) break;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    pollfd event{device->fd(), POLLIN, 0};
    // The timeout covers events that never arrive, because another master has turned the CRTC off. The node
    // of an unplugged card reports POLLHUP.
    if (left.count() <= 0 || ::poll(&event, 1, static_cast<int>(left.count())) == 0) break;
    if ((event.revents & (POLLERR | POLLHUP)) != 0) break;
  }
  if (!deferred_events_.empty()) base::signal_event(deferred_event_);
}

base::Result<std::vector<Event>> KmsCard::read_events() {
  if (const auto device = device_.lock()) static_cast<void>(read_device(*device));
  base::clear_event(deferred_event_);
  std::vector<Event> events = std::exchange(deferred_events_, {});
  for (const auto& [output, enabled] : enabled_outputs_) {
    if (const auto vblank = enabled->vblank().read_timer(output)) events.emplace_back(*vblank);
  }
  const bool probe_again = probe_timer_.read_expired();
  const bool changed = monitor_.read() || probe_again;
  const bool slept = resume_monitor_.read();
  if (changed) events.emplace_back(HotplugEvent{});
  if (slept) events.emplace_back(ResumeEvent{});
  if (changed || slept) connectors_.forget();
  return events;
}

base::Result<Capture> KmsCard::capture(OutputId output) {
  const KmsOutput* enabled = find_enabled(output);
  if (enabled == nullptr) return base::failure(EINVAL);
  if (enabled->power() != Power::on) {
    return Capture{enabled->mode().size(), std::vector<uint32_t>(enabled->mode().size().area())};
  }
  return capture_buffer(*enabled->front(), Rect::of(enabled->mode().size(), enabled->origin()));
}

KmsCard::OutputQuirks KmsCard::quirks_of(const KmsOutput& enabled) {
  return {enabled.commit().api(), enabled.pipe().has_damage_clips(), enabled.front()->cpu_access().kind(),
          enabled.vblank().kind()};
}

DriverPaths KmsCard::driver_paths(OutputId output) const {
  OutputQuirks quirks;
  if (const KmsOutput* enabled = find_enabled(output); enabled != nullptr) {
    quirks = quirks_of(*enabled);
  } else if (const auto before = output_quirks_.find(output); before != output_quirks_.end()) {
    quirks = before->second;
  } else {
    return {"unknown", "unknown", "unknown", "unknown"};
  }
  const bool atomic = quirks.api == KmsApi::atomic;
  DriverPaths paths;
  paths.commit = atomic ? "atomic" : "legacy";
  paths.flush = atomic && quirks.damage_clips ? "atomic clips"
                : card_quirks_.dirty_unneeded ? "none"
                                              : "legacy dirty";
  constexpr std::array<std::string_view, mapping_kinds> mappings{"MAP_DUMB", "dma-buf", "shadow"};
  paths.mapping = mappings.at(static_cast<size_t>(quirks.mapping));
  constexpr std::array<std::string_view, 3> sources{"CRTC_QUEUE_SEQUENCE", "WAIT_VBLANK", "timer"};
  paths.vblank = sources.at(static_cast<size_t>(quirks.vblank));
  return paths;
}

}  // namespace drmclient
