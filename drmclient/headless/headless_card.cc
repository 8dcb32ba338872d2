#include "drmclient/headless/headless_card.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace drmclient {

HeadlessCard::HeadlessCard(HeadlessOptions options)
    : options_(std::move(options)), mappings_(std::make_shared<MappingCache>(options_.mapping_limit_bytes)) {
  if (!is_headless_mode(options_.size)) {
    throw std::system_error(EINVAL, std::generic_category(),
                            "a headless card has modes from 8x8 to 8192x8192, not " +
                                std::to_string(options_.size.width) + "x" +
                                std::to_string(options_.size.height));
  }
  info_ = {"headless", "", largest};
  for (unsigned i = 0; i < std::max(options_.outputs, 1U); ++i) {
    epoll_.watch(outputs_.emplace_back(i + 1, options_).vblank_descriptor());
  }
}

HeadlessCard::~HeadlessCard() = default;

std::unique_ptr<Card> open_headless_card(const HeadlessOptions& options) {
  return std::make_unique<HeadlessCard>(options);
}

base::Result<std::vector<Output*>> HeadlessCard::probe() {
  std::vector<Output*> outputs;
  for (HeadlessOutput& output : outputs_) outputs.push_back(&output);
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
  return BASE_TRY(make_buffer({size, format, pitch}, std::move(memory)));
}

base::Result<std::unique_ptr<HeadlessBuffer>> HeadlessCard::make_buffer(const HeadlessBuffer::Shape& shape,
                                                                        base::UniqueFd memory) {
  return std::make_unique<HeadlessBuffer>(shape, std::move(memory), mappings_, options_.mapping);
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
  return events;
}

}  // namespace drmclient
