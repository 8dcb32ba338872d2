// Property tests: random use of mapped buffers is compared with simple models.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/faulty_card.h"

using drmclient::AccessMode;
using drmclient::make_mode;
using drmclient::MappingChoice;
using drmclient::MappingCounts;
using drmclient::MappingKind;
using drmclient::MappingStatistics;
using drmclient::PixelFormat;
using drmclient::Rect;
using drmclient::ScanoutBuffer;
using drmclient::Size;
using unit::FaultyCard;
using unit::FaultyOptions;

namespace {

constexpr Size size{16, 12};
constexpr uint64_t buffer_bytes = uint64_t{16} * 4 * 12;

using Picture = std::vector<uint32_t>;

FaultyOptions any_options() {
  FaultyOptions options;
  options.mapping = *rc::gen::element(MappingChoice::automatic, MappingChoice::dumb, MappingChoice::dma_buf,
                                      MappingChoice::shadow);
  options.mapping_limit_bytes = *rc::gen::inRange<uint64_t>(0, 4 * buffer_bytes);
  options.moving_mappings = *rc::gen::arbitrary<bool>();
  options.incoherent_dma_bufs = *rc::gen::arbitrary<bool>();
  return options;
}

Rect any_rect() {
  const auto x = *rc::gen::inRange(0, 16);
  const auto y = *rc::gen::inRange(0, 12);
  return {x, y, *rc::gen::inRange(x + 1, 17), *rc::gen::inRange(y + 1, 13)};
}

template <typename Change>
void change_pixels(Picture& picture, const Rect& rect, const Change& pixel_at) {
  for (int y = rect.y1; y < rect.y2; ++y) {
    for (int x = rect.x1; x < rect.x2; ++x) {
      const auto at = static_cast<size_t>(y) * size.width + static_cast<size_t>(x);
      picture[at] = pixel_at(at);
    }
  }
}

/// Fills a rectangle through an access. Returns the errno of begin_access() or end(), or 0.
int fill(ScanoutBuffer& buffer, const Rect& rect, uint32_t pixel, AccessMode mode) {
  auto access = buffer.begin_access(mode);
  if (!access) return access.error().value();
  for (int y = rect.y1; y < rect.y2; ++y) {
    for (int x = rect.x1; x < rect.x2; ++x) {
      std::memcpy(access->row(static_cast<uint32_t>(y)).data() + static_cast<size_t>(x) * 4, &pixel, 4);
    }
  }
  const auto ended = access->end();
  return ended ? 0 : ended.error().value();
}

std::optional<Picture> contents(ScanoutBuffer& buffer) {
  const auto access = buffer.begin_access(AccessMode::read);
  if (!access) return std::nullopt;
  Picture picture(size.area());
  for (uint32_t y = 0; y < size.height; ++y) {
    std::memcpy(&picture[size_t{y} * size.width], access->row(y).data(), size_t{size.width} * 4);
  }
  return picture;
}

/// A simple model of a card's mappings.
class Model {
 public:
  struct Buffer {
    MappingKind kind = MappingKind::dumb;
    bool mapped = false;
    bool was_mapped = false;
    uint64_t last_use = 0;
    Picture pixels = Picture(size.area());
  };

  explicit Model(const FaultyOptions& options) : choice_(options.mapping) {
    statistics.limit_bytes = options.mapping_limit_bytes;
  }

  void create() {
    Buffer buffer;
    if (choice_ == MappingChoice::dma_buf) buffer.kind = MappingKind::dma_buf;
    if (choice_ == MappingChoice::shadow) buffer.kind = MappingKind::shadow;
    buffers.push_back(buffer);
  }
  void destroy(size_t index) {
    drop(buffers[index]);
    buffers.erase(buffers.begin() + static_cast<ptrdiff_t>(index));
  }
  /// Returns the expected errno of an access.
  int access(size_t index) {
    Buffer& buffer = buffers[index];
    if (buffer.mapped) {
      ++statistics.of(buffer.kind).hits;
    } else if (buffer.kind != MappingKind::shadow) {
      evict(buffer_bytes);
      if (const int refused = map(buffer)) return refused;
    }
    if (buffer.kind == MappingKind::shadow) ++statistics.of(MappingKind::shadow).hits;
    buffer.last_use = ++uses_;
    evict(0);
    return 0;
  }
  void unmap(size_t index) {
    if (!buffers[index].mapped) return;
    ++statistics.of(buffers[index].kind).released_on_hint;
    drop(buffers[index]);
  }
  void release_all() {
    for (Buffer& buffer : buffers) {
      if (!buffer.mapped) continue;
      ++statistics.of(buffer.kind).released_for_pressure;
      drop(buffer);
    }
  }

  std::vector<Buffer> buffers;
  std::array<int, 2> refusals{};  ///< of dumb mappings and dma-bufs
  MappingStatistics statistics;

 private:
  /// Returns an errno if no mapping and no shadow is possible.
  int map(Buffer& buffer) {
    const int first = refusals.at(static_cast<size_t>(buffer.kind));
    const MappingKind other = buffer.kind == MappingKind::dumb ? MappingKind::dma_buf : MappingKind::dumb;
    if (first != 0) {
      if (choice_ == MappingChoice::dumb) return first;
      if (refusals.at(static_cast<size_t>(other)) != 0) {
        if (buffer.was_mapped) return first;
        buffer.kind = MappingKind::shadow;
        return 0;
      }
      buffer.kind = other;
    }
    MappingCounts& counts = statistics.of(buffer.kind);
    ++counts.misses;
    if (buffer.was_mapped) ++counts.remaps;
    counts.mapped_bytes += buffer_bytes;
    buffer.mapped = true;
    buffer.was_mapped = true;
    return 0;
  }
  void evict(uint64_t bytes) {
    while (true) {
      Buffer* oldest = nullptr;
      uint64_t mapped = bytes;
      for (Buffer& buffer : buffers) {
        if (!buffer.mapped) continue;
        mapped += buffer_bytes;
        if (oldest == nullptr || buffer.last_use < oldest->last_use) oldest = &buffer;
      }
      if (mapped <= statistics.limit_bytes || oldest == nullptr) return;
      ++statistics.of(oldest->kind).released_for_limit;
      drop(*oldest);
    }
  }
  void drop(Buffer& buffer) {
    if (buffer.mapped) statistics.of(buffer.kind).mapped_bytes -= buffer_bytes;
    buffer.mapped = false;
  }

  MappingChoice choice_;
  uint64_t uses_ = 0;
};

}  // namespace

RC_GTEST_PROP(MappingProperties, RandomAccessesMatchModel, ()) {
  const FaultyOptions options = any_options();
  FaultyCard card(options);
  std::vector<std::unique_ptr<ScanoutBuffer>> buffers;
  Model model(options);
  const auto steps = *rc::gen::inRange(1, 60);
  for (int step = 0; step < steps; ++step) {
    const auto what = buffers.empty() ? 0 : *rc::gen::inRange(0, 12);
    const auto index = buffers.empty() ? 0 : *rc::gen::inRange<size_t>(0, buffers.size());
    if (what == 0) {
      auto made = card.create_buffer(size, PixelFormat::xrgb8888);
      RC_ASSERT(made.has_value());
      buffers.push_back(std::move(*made));
      model.create();
    } else if (what == 1) {
      buffers.erase(buffers.begin() + static_cast<ptrdiff_t>(index));
      model.destroy(index);
    } else if (what == 2) {
      buffers[index]->unmap();
      model.unmap(index);
    } else if (what == 3) {
      card.release_mappings();
      model.release_all();
    } else if (what == 4) {
      model.refusals = {*rc::gen::element(0, 0, ENOSYS), *rc::gen::element(0, ENOMEM)};
      card.refuse_mappings(model.refusals[0], model.refusals[1]);
    } else if (what == 5) {
      card.fail_syncs({EINTR, EAGAIN, EAGAIN});
    } else if (what < 9) {
      const Rect rect = any_rect();
      const auto pixel = *rc::gen::arbitrary<uint32_t>();
      const AccessMode mode = *rc::gen::element(AccessMode::write, AccessMode::read_write);
      const int refused = model.access(index);
      RC_ASSERT(fill(*buffers[index], rect, pixel, mode) == refused);
      if (refused == 0) change_pixels(model.buffers[index].pixels, rect, [&](size_t) { return pixel; });
    } else {
      const int refused = model.access(index);
      const auto read = contents(*buffers[index]);
      RC_ASSERT(read.has_value() == (refused == 0));
      if (read) RC_ASSERT(*read == model.buffers[index].pixels);
    }
    RC_ASSERT(card.mapping_statistics() == model.statistics);
  }
}

// With any kind of mapping, a strict display shows what mode sets, flips and damage bring to it. With the
// shadow an ordinary display does so too, because nothing else reaches its buffer.
RC_GTEST_PROP(MappingProperties, StrictDisplayMatchesModel, ()) {
  FaultyOptions options = any_options();
  options.strict_display = *rc::gen::arbitrary<bool>();
  options.dirty_buffers = *rc::gen::arbitrary<bool>();
  options.mappings_for_uploads_only = *rc::gen::arbitrary<bool>();
  if (options.mappings_for_uploads_only) options.mapping = MappingChoice::automatic;
  if (!options.strict_display) options.mapping = MappingChoice::shadow;
  FaultyCard card(options);
  std::array<std::unique_ptr<ScanoutBuffer>, 2> buffers;
  std::array<Picture, 2> pixels;
  for (size_t i = 0; i < buffers.size(); ++i) {
    buffers.at(i) = std::move(*card.create_buffer(size, PixelFormat::xrgb8888));
    RC_ASSERT(fill(*buffers.at(i), Rect::of(size), 0, AccessMode::write) == 0);
    pixels.at(i) = Picture(size.area());
  }
  RC_ASSERT(card.output().set_mode(make_mode(size), *buffers[0], {}).has_value());
  Picture screen = pixels[0];
  size_t front = 0;
  const auto steps = *rc::gen::inRange(1, 40);
  for (int step = 0; step < steps; ++step) {
    const auto index = *rc::gen::inRange<size_t>(0, 2);
    switch (*rc::gen::inRange(0, 5)) {
      case 0:
      case 1: {
        const Rect rect = any_rect();
        const auto pixel = *rc::gen::inRange<uint32_t>(0, 0x1000000);
        RC_ASSERT(fill(*buffers.at(index), rect, pixel, AccessMode::write) == 0);
        change_pixels(pixels.at(index), rect, [&](size_t) { return pixel; });
        break;
      }
      case 2: {
        std::vector<Rect> damage;
        for (auto count = *rc::gen::inRange(0, 4); count > 0; --count) damage.push_back(any_rect());
        RC_ASSERT(card.present({card.output(), *buffers.at(index), {}, damage}).has_value());
        if (std::exchange(front, index) != index) damage = {Rect::of(size)};
        for (const Rect& rect : damage) {
          change_pixels(screen, rect, [&](size_t at) { return pixels.at(index)[at]; });
        }
        break;
      }
      case 3:
        RC_ASSERT(card.output().set_mode(make_mode(size), *buffers.at(index), {}).has_value());
        front = index;
        screen = pixels.at(index);
        break;
      default:
        card.release_mappings();
        card.fail_syncs({EAGAIN});
        break;
    }
    RC_ASSERT(card.output().capture()->pixels == screen);
  }
}
