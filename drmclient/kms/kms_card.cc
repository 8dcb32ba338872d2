#include "drmclient/kms/kms_card.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "drmclient/kms/drm_events.h"
#include "drmclient/kms/dumb_buffer.h"

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
      parts_(clock),
      mappings_(std::make_shared<MappingCache>(options_.mapping_limit_bytes)),
      monitor_(options_.path),
      fbcon_wait_(options_.path, consoles, clock) {
  const DrmDevice device(options_.path, options_.api);
  const DrmModeResources resources(::drmModeGetResources(device.fd()));
  if (!resources) {
    throw std::system_error(errno, std::generic_category(),
                            "the card " + options_.path + " (" + device.driver() +
                                ") has no display outputs; choose another one with --card");
  }
  info_ = {device.driver(), options_.path, {resources->max_width, resources->max_height}, true};
  parts_.epoll.watch(monitor_.descriptor());
  parts_.epoll.watch(resume_monitor_.descriptor());
  parts_.epoll.watch(probe_timer_.get());
  parts_.epoll.watch(deferred_event_.get());
}

KmsCard::~KmsCard() = default;

std::unique_ptr<Card> open_kms_card(const KmsOptions& options) {
  return std::make_unique<KmsCard>(options);
}

base::Result<std::shared_ptr<const DrmDevice>> KmsCard::open_device() {
  if (auto device = parts_.device.lock()) return device;
  if (fbcon_wait_.defer_open()) return base::failure(ENODEV);
  try {
    auto device = std::make_shared<const DrmDevice>(options_.path, options_.api);
    // Another card may have the number of an unplugged one.
    if (device->driver() != info_.driver) return base::failure(ENODEV);
    parts_.epoll.watch(device->fd());
    parts_.device = device;
    // While the node was closed, other programs may have used the card, or the card may have been replaced.
    parts_.connectors.forget();
    return device;
  } catch (const std::system_error& error) {
    return is_node_missing(error.code()) ? base::failure(ENODEV) : tl::make_unexpected(error.code());
  }
}

base::Result<std::vector<Output*>> KmsCard::probe() {
  const auto device = open_device();
  if (!device) {
    // No event reports that the console has attached or that the timeout has passed.
    if (fbcon_wait_.is_waiting()) probe_later();
    return tl::make_unexpected(device.error());
  }
  auto connectors = BASE_TRY(parts_.connectors.read(**device));
  if (std::ranges::any_of(connectors, &KmsConnector::unprobed)) probe_later();
  for (const auto& output : parts_.outputs) output->set_disconnected();
  std::vector<Output*> outputs;
  for (KmsConnector& connector : connectors) {
    KmsOutput& output = find_or_make(connector.id);
    if (options_.format) {
      std::vector<PixelFormat>& formats = connector.info.formats;
      const bool supported = std::ranges::find(formats, *options_.format) != formats.end();
      formats.clear();
      if (supported) formats.push_back(*options_.format);
    }
    output.set_info(std::move(connector.info));
    outputs.push_back(&output);
  }
  return outputs;
}

/// Returns the output of a connector that was seen by probe(); null if there is none.
KmsOutput* KmsCard::find(uint32_t connector_id) const {
  const auto found = std::ranges::find(parts_.outputs, connector_id,
                                       [](const auto& output) { return output->connector_id(); });
  return found == parts_.outputs.end() ? nullptr : found->get();
}

KmsOutput& KmsCard::find_or_make(uint32_t connector_id) {
  if (KmsOutput* const known = find(connector_id); known != nullptr) return *known;
  return *parts_.outputs.emplace_back(std::make_unique<KmsOutput>(connector_id, parts_));
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

base::Result<void> KmsCard::check_master() {
  const auto device = BASE_TRY(open_device());
  if (is_unplugged(*device)) return base::failure(ENODEV);
  BASE_TRY(DrmMaster::take_quietly(*device));
  return {};
}

std::vector<base::Result<void>> KmsCard::present_all(std::span<const Frame> frames) {
  std::vector<base::Result<void>> results;
  std::vector<const KmsOutput*> flipping;
  std::vector<KmsOutput*> presenting;
  for (const Frame& frame : frames) {
    auto* const output = dynamic_cast<KmsOutput*>(&frame.output);
    const auto submitted =
        output == nullptr ? base::failure(EINVAL) : output->submit(frame.buffer, frame.origin, frame.damage);
    if (output != nullptr) presenting.push_back(output);
    if (submitted && *submitted) flipping.push_back(output);
    results.push_back(submitted ? base::Result<void>() : tl::make_unexpected(submitted.error()));
  }
  if (!flipping.empty()) wait_for_flips(std::move(flipping));
  for (KmsOutput* const output : presenting) output->presented();
  return results;
}

/// Reads the events of the card's node and stores vblanks in deferred_events_. Returns the outputs whose
/// flips are complete.
std::vector<const KmsOutput*> KmsCard::read_device(const DrmDevice& device) {
  const DrmEvents events = read_drm_events(device.fd());
  for (const DrmVblank& vblank : events.vblanks) {
    KmsOutput* const output = find(static_cast<uint32_t>(vblank.user_data));
    const auto event = output == nullptr ? std::nullopt : output->take(vblank);
    if (event) deferred_events_.emplace_back(*event);
  }
  std::vector<const KmsOutput*> flipped;
  for (const uint64_t flip : events.flips) flipped.push_back(find(static_cast<uint32_t>(flip)));
  return flipped;
}

void KmsCard::wait_for_flips(std::vector<const KmsOutput*> outputs) {
  const auto device = parts_.device.lock();
  if (!device) return;
  const auto deadline = steady_clock::now() + std::chrono::milliseconds(flip_timeout_ms);
  while (true) {
    for (const KmsOutput* const flipped : read_device(*device)) std::erase(outputs, flipped);
    if (outputs.empty()) break;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    pollfd event{device->fd(), POLLIN, 0};
    // The timeout covers events that never arrive, because another master has turned the CRTC off. The node
    // of an unplugged card reports POLLHUP.
    if (left.count() <= 0 || ::poll(&event, 1, static_cast<int>(left.count())) == 0) break;
    if ((event.revents & (POLLERR | POLLHUP)) != 0) break;
  }
  if (!deferred_events_.empty()) deferred_event_.signal();
}

base::Result<std::vector<Event>> KmsCard::read_events() {
  if (const auto device = parts_.device.lock()) static_cast<void>(read_device(*device));
  deferred_event_.clear();
  std::vector<Event> events = std::exchange(deferred_events_, {});
  for (const auto& output : parts_.outputs) {
    if (const auto vblank = output->read_timer()) events.emplace_back(*vblank);
  }
  const bool probe_again = probe_timer_.read_expired();
  const bool changed = monitor_.read() || probe_again;
  const bool slept = resume_monitor_.read();
  if (changed) events.emplace_back(HotplugEvent{});
  if (slept) events.emplace_back(ResumeEvent{});
  if (changed || slept) parts_.connectors.forget();
  return events;
}

}  // namespace drmclient
