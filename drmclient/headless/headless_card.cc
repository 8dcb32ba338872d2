#include "drmclient/headless/headless_card.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

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
  epoll_.watch(hotplug_event_.get());
  for (unsigned i = 0; i < std::max(options_.outputs, 1U); ++i) {
    epoll_.watch(outputs_.emplace_back(options_.strict_display).vblank_descriptor());
  }
}

HeadlessOutput* HeadlessCard::find(OutputId output) {
  return output == 0 || output > outputs_.size() ? nullptr : &outputs_[output - 1];
}

HeadlessCard::~HeadlessCard() = default;

std::unique_ptr<Card> open_headless_card(const HeadlessOptions& options) {
  return std::make_unique<HeadlessCard>(options);
}

base::Result<std::vector<Output>> HeadlessCard::probe() {
  std::vector<Output> outputs;
  for (const HeadlessOutput& own : outputs_) {
    outputs.push_back(describe(own, static_cast<OutputId>(outputs.size() + 1)));
  }
  return outputs;
}

Output HeadlessCard::describe(const HeadlessOutput& own, OutputId id) const {
  constexpr uint64_t dots_per_inch = 96;
  constexpr uint64_t tenths_of_mm_per_inch = 254;
  const auto millimetres = [](uint64_t pixels) {
    return static_cast<uint32_t>(pixels * tenths_of_mm_per_inch / (10 * dots_per_inch));
  };
  Output output;
  output.id = id;
  output.name = "Virtual-" + std::to_string(id);
  output.connected = own.connected;
  output.formats = options_.formats;
  output.gamma_entries = gamma_entries;
  if (own.monitor.empty()) {
    output.custom_modes_up_to = largest;
    output.takes_any_timing = true;
  }
  if (own.connected && !own.monitor.empty()) {
    for (const Size size : own.monitor) output.modes.push_back(make_mode(size));
    output.modes.front().preferred = true;
  } else if (own.connected) {
    output.size_mm = {millimetres(options_.size.width), millimetres(options_.size.height)};
    Mode preferred = make_mode(options_.size, options_.refresh_millihertz);
    preferred.preferred = true;
    output.modes.push_back(std::move(preferred));
  }
  return output;
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

base::Result<void> HeadlessCard::set_mode(OutputId output, const Mode& mode, ScanoutBuffer& buffer,
                                          Point origin) {
  HeadlessOutput* own = find(output);
  if (own == nullptr) return base::failure(ENOENT);
  if (refuse_modes_ != 0) return base::failure(refuse_modes_);
  auto* memory = dynamic_cast<HeadlessBuffer*>(&buffer);
  return memory == nullptr ? base::failure(EINVAL) : own->set_mode(mode, *memory, origin);
}

base::Result<void> HeadlessCard::present(OutputId output, ScanoutBuffer& buffer, Point origin,
                                         std::span<const Rect> damage) {
  HeadlessOutput* own = find(output);
  if (own == nullptr) return base::failure(ENOENT);
  if (refuse_presents_ != 0) return base::failure(refuse_presents_);
  auto* memory = dynamic_cast<HeadlessBuffer*>(&buffer);
  if (memory == nullptr || damage.size() > max_damage_rects) return base::failure(EINVAL);
  return own->present(*memory, origin, damage);
}

void HeadlessCard::release(OutputId output) {
  if (HeadlessOutput* own = find(output); own != nullptr) own->release();
}

base::Result<void> HeadlessCard::set_gamma(OutputId output, std::span<const GammaEntry> table) {
  HeadlessOutput* own = find(output);
  if (own == nullptr) return base::failure(ENOENT);
  if (table.size() != gamma_entries) return base::failure(EINVAL);
  own->gamma.assign(table.begin(), table.end());
  return {};
}

base::Result<void> HeadlessCard::set_power(OutputId output, Power power) {
  HeadlessOutput* own = find(output);
  if (own == nullptr) return base::failure(ENOENT);
  own->power = power;
  return {};
}

base::Result<void> HeadlessCard::request_vblank(OutputId output) {
  HeadlessOutput* own = find(output);
  return own == nullptr ? base::failure(ENOENT) : own->request_vblank();
}

base::Result<std::vector<Event>> HeadlessCard::read_events() {
  std::vector<Event> events;
  OutputId id = 0;
  for (HeadlessOutput& own : outputs_) {
    if (const auto vblank = own.read_vblank(++id)) events.emplace_back(*vblank);
  }
  if (hotplug_event_.clear()) events.emplace_back(HotplugEvent{});
  return events;
}

base::Result<Capture> HeadlessCard::capture(OutputId output) {
  HeadlessOutput* own = find(output);
  return own == nullptr ? base::failure(ENOENT) : own->capture();
}

DriverPaths HeadlessCard::driver_paths(OutputId output) const {
  DriverPaths paths;
  if (output == 0 || output > outputs_.size()) return paths;
  constexpr std::array<std::string_view, mapping_kinds> mappings{"memory", "dma-buf", "shadow"};
  const HeadlessBuffer* front = outputs_[output - 1].front();
  if (front != nullptr) paths.mapping = mappings.at(static_cast<size_t>(front->cpu_access().kind()));
  return paths;
}

void HeadlessCard::set_connected(bool connected, OutputId output) {
  HeadlessOutput* own = find(output);
  if (own != nullptr && std::exchange(own->connected, connected) != connected) hotplug_event_.signal();
}

void HeadlessCard::set_monitor(std::vector<Size> sizes, OutputId output) {
  if (HeadlessOutput* own = find(output); own != nullptr) own->monitor = std::move(sizes);
  hotplug_event_.signal();
}

}  // namespace drmclient
