// The colour map, its palettes, and struct fb_cmap of both ABIs.
//
// Input: a format's number, then a struct fb_cmap of 40 bytes, then records of start (4 bytes), length
// (2 bytes) and the entries.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "fbemu/fbdev/color_map.h"
#include "fbemu/fbdev/screeninfo.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/error_of.h"
#include "tests/support/fake_user_memory.h"

namespace {

using fbemu::Abi;
using fbemu::ColorMap;
using fbemu::ProgramFormat;
using fbemu::Visual;
using fuzz::Input;
using fuzz::require;

void check_structures(std::span<const std::byte> bytes) {
  constexpr size_t native_size = 40;
  constexpr size_t compat_size = 24;
  std::array<std::byte, native_size> structure{};
  std::ranges::copy(bytes, structure.begin());
  unit::FakeUserMemory memory(native_size);
  memory.put(memory.base, structure);
  const auto native = fbemu::read_color_map(Abi::lp64, memory, memory.base);
  const auto compat = fbemu::read_color_map(Abi::ilp32, memory, memory.base);
  require(native && compat, "the structure is readable");
  require(memory.largest_read == native_size, "no byte behind the structure is read");
  require(native->start == compat->start && native->len == compat->len, "both ABIs begin with start and len");
  require(compat->red == memory.get<uint32_t>(memory.base + 8), "32-bit pointers are extended with zeros");
  require(native->red == memory.get<uint64_t>(memory.base + 8), "64-bit pointers are kept");
  require(native->transp == memory.get<uint64_t>(memory.base + 32), "64-bit pointers are kept");
  constexpr uint64_t misplaced = native_size - compat_size + 1;
  require(unit::error_of(fbemu::read_color_map(Abi::ilp32, memory, memory.base + misplaced)) == EFAULT,
          "a structure that ends outside the memory returns EFAULT");
}

void check_palette(const ProgramFormat& format, const ColorMap& map) {
  const auto palette = fbemu::make_palette(format, map);
  require((palette == nullptr) == (format.visual == Visual::truecolor), "only true colour has no palette");
  if (format.visual != Visual::pseudocolor) return;
  for (size_t i = 0; i < ColorMap::entries; ++i) {
    const uint32_t wanted = 0xff00'0000U | (map.red().at(i) & 0xff00U) << 8U | (map.green().at(i) & 0xff00U) |
                            map.blue().at(i) >> 8U;
    require(palette->colors.at(i) == wanted, "a palette has the upper 8 bits of each entry");
  }
}

}  // namespace

void fuzz::run(Input input) {
  const auto formats = fbemu::program_formats();
  const ProgramFormat& format = formats[input.take_below(formats.size())];
  check_structures(input.take_bytes(40));
  ColorMap map = input.take_bool() ? fbemu::make_ramp(format) : ColorMap();
  std::array<uint16_t, ColorMap::entries> expected = map.green();
  while (!input.empty()) {
    // Callers keep `start` below 2^31.
    const uint32_t start = input.take<uint32_t>() & 0x7fff'ffffU;
    std::vector<uint16_t> entries(input.take<uint16_t>() % 1024);
    for (uint16_t& entry : entries) entry = input.take<uint16_t>();
    map.store(start, entries, entries, entries);
    for (size_t i = 0; i < entries.size() && start + i < expected.size(); ++i) {
      expected.at(start + i) = entries[i];
    }
    require(map.green() == expected, "exactly the entries inside the map are stored");
    check_palette(format, map);
  }
}
