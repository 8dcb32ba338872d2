#include "drmclient/headless/headless_card.h"

#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/event_descriptors.h"

namespace drmclient {

HeadlessCard::HeadlessCard(HeadlessOptions options)
    : options_(std::move(options)), mappings_(std::make_shared<MappingCache>(options_.mapping_limit_bytes)) {
  faults_.moving = options_.moving_mappings;
  faults_.only_for_uploads = options_.mappings_for_uploads_only;
  faults_.incoherent = options_.incoherent_dma_bufs;
  if (!is_headless_mode(options_.size)) {
    throw std::system_error(EINVAL, std::generic_category(),
                            "a headless card has modes from 8x8 to 8192x8192, not " +
                                std::to_string(options_.size.width) + "x" +
                                std::to_string(options_.size.height));
  }
  info_ = {"headless", "", largest};
  epoll_ = base::make_epoll();
  hotplug_event_ = base::make_event();
  base::watch_input(epoll_, hotplug_event_.get());
  for (unsigned i = 0; i < std::max(options_.outputs, 1U); ++i) {
    base::watch_input(epoll_, outputs_.emplace_back(i + 1, options_, faults_).vblank_descriptor());
  }
}

HeadlessCard::~HeadlessCard() = default;

std::unique_ptr<Card> open_headless_card(const HeadlessOptions& options) {
  return std::make_unique<HeadlessCard>(options);
}

base::Result<std::vector<Output*>> HeadlessCard::probe() {
  std::vector<Output*> outputs;
  for (HeadlessOutput& output : outputs_) {
    output.probe();
    outputs.push_back(&output);
  }
  return outputs;
}

base::Result<std::unique_ptr<ScanoutBuffer>> HeadlessCard::create_buffer(Size size, PixelFormat format) {
  if (!is_headless_mode(size) || std::ranges::find(options_.formats, format) == options_.formats.end()) {
    return base::failure(EINVAL);
  }
  // The pitch is a multiple of 64 bytes, as with most drivers, so that tests detect code that derives it from
  // the width.
  constexpr uint32_t pitch_alignment = 64;
  const uint32_t pitch =
      (size.width * bytes_per_pixel(format) + pitch_alignment - 1) / pitch_alignment * pitch_alignment;
  base::UniqueFd memory(::memfd_create("scanout", MFD_CLOEXEC));
  if (!memory) return base::failure_from_errno();
  const uint64_t bytes = uint64_t{pitch} * size.height;
  if (::ftruncate(memory.get(), static_cast<off_t>(bytes)) != 0) return base::failure_from_errno();
  if (options_.dirty_buffers) {
    const std::string used(bytes, '\xa5');
    if (::pwrite(memory.get(), used.data(), used.size(), 0) != static_cast<ssize_t>(bytes))
      return base::failure(ENOSPC);
  }
  return std::make_unique<HeadlessBuffer>(size, format, pitch, std::move(memory), mappings_, options_.mapping,
                                          faults_);
}

std::vector<base::Result<void>> HeadlessCard::present_all(std::span<const Frame> frames) {
  std::vector<base::Result<void>> results;
  for (const Frame& frame : frames) {
    auto* const output = dynamic_cast<HeadlessOutput*>(&frame.output);
    results.push_back(output == nullptr ? base::failure(EINVAL)
                                        : output->present(frame.buffer, frame.origin, frame.damage));
  }
  return results;
}

base::Result<std::vector<Event>> HeadlessCard::read_events() {
  std::vector<Event> events;
  for (HeadlessOutput& output : outputs_) {
    if (const auto vblank = output.read_vblank()) events.emplace_back(*vblank);
  }
  if (base::clear_event(hotplug_event_)) events.emplace_back(HotplugEvent{});
  return events;
}

void HeadlessCard::set_connected(bool connected, unsigned number) {
  if (output(number).set_connected(connected)) base::signal_event(hotplug_event_);
}

void HeadlessCard::set_monitor(std::vector<Size> sizes, unsigned number) {
  output(number).set_monitor(std::move(sizes));
  base::signal_event(hotplug_event_);
}

}  // namespace drmclient
