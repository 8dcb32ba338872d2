// FBIOPUT_VSCREENINFO: each accepted var fits the memory, and is accepted again without a change.
//
// Input: 8 bytes of options, then records of a member's number (1 byte) and its value (4 bytes). A number
// beyond the members submits the var.
#include <linux/fb.h>

#include <array>
#include <cstring>
#include <limits>

#include "fbemu/fbdev/screeninfo.h"
#include "fbemu/fbdev/var_check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/fake_user_memory.h"

namespace {

using drmclient::Size;
using fbemu::Abi;
using fbemu::CheckedVar;
using fbemu::FramebufferState;
using fbemu::Rotation;
using fuzz::Input;
using fuzz::require;

constexpr std::array<Size, 4> mode_sizes{Size{64, 48}, Size{48, 64}, Size{128, 96}, Size{1024, 768}};
constexpr std::array<uint64_t, 4> memories{4096, 24'576, 8'388'608, 0xffff'f000};

bool same(const fb_var_screeninfo& a, const fb_var_screeninfo& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

drmclient::OutputInfo make_output(Input& input) {
  drmclient::OutputInfo output;
  output.takes_any_timing = input.take_bool();
  if (output.takes_any_timing) output.custom_modes_up_to = {8192, 8192};
  for (const Size size : mode_sizes) output.modes.push_back(drmclient::make_mode(size));
  output.size_mm = {input.take<uint8_t>(), input.take<uint8_t>()};
  return output;
}

/// Makes the state as Framebuffer does at its start.
FramebufferState initial_state(const drmclient::OutputInfo& output, const fbemu::Presentation& presentation) {
  FramebufferState state;
  state.mode = presentation.mode;
  const Size visible = turned(presentation.mode.size(), presentation.rotation);
  fb_var_screeninfo wanted{};
  wanted.xres = visible.width;
  wanted.yres = visible.height;
  wanted.bits_per_pixel = 32;
  const auto checked = fbemu::check_var(wanted, {output, presentation, state, memories.back()});
  require(checked.has_value(), "the state at the start is accepted");
  return checked->fb_state;
}

void check_layout(const CheckedVar& checked, const fb_var_screeninfo& wanted, uint64_t memory_bytes) {
  const fb_var_screeninfo& var = checked.var;
  const FramebufferState& state = checked.fb_state;
  const uint64_t pitch = state.layout.pitch_bytes;
  require(var.xres == wanted.xres && var.yres == wanted.yres, "the size is the requested one");
  require(var.xres_virtual >= var.xres && var.yres_virtual >= var.yres, "the virtual screen holds the view");
  require(pitch * 8 >= uint64_t{var.xres_virtual} * var.bits_per_pixel, "a line holds its pixels");
  require(pitch * var.yres_virtual <= memory_bytes, "the virtual screen fits the memory");
  require(uint64_t{var.xoffset} + var.xres <= var.xres_virtual, "the view is inside the columns");
  if ((var.vmode & FB_VMODE_YWRAP) == 0) {
    require(uint64_t{var.yoffset} + var.yres <= var.yres_virtual, "the view is inside the lines");
  }
  for (const fbemu::ViewPart& part : state.parts()) {
    const uint64_t end = uint64_t{part.from.y} + part.view.height();
    require(end <= var.yres_virtual, "each part of the view is inside the lines");
  }
  require(state.visible_bytes().end <= memory_bytes, "the visible bytes are inside the memory");
}

/// Checks that 32-bit programs receive the members of `fix` that have a place in their structure.
void check_fix(const CheckedVar& checked, uint64_t memory_bytes) {
  const fb_fix_screeninfo fix = fbemu::make_fix("fbemu fuzz", checked.fb_state.layout, memory_bytes);
  unit::FakeUserMemory memory(256);
  require(fbemu::write_fix(fix, Abi::lp64, memory, memory.base).has_value(), "the memory is accessible");
  const auto native = memory.get<fb_fix_screeninfo>(memory.base);
  require(std::memcmp(&native, &fix, sizeof fix) == 0, "the structure arrives unchanged");

  unit::FakeUserMemory compat(256);
  require(fbemu::write_fix(fix, Abi::ilp32, compat, compat.base).has_value(), "the memory is accessible");
  constexpr uint64_t smem_len_at = 20;
  constexpr uint64_t line_length_at = 44;
  constexpr uint64_t written_end = 64;
  require(compat.get<uint32_t>(compat.base + smem_len_at) == fix.smem_len, "smem_len is at its place");
  require(compat.get<uint32_t>(compat.base + line_length_at) == fix.line_length,
          "line_length is at its place");
  require(compat.is_untouched(compat.base + written_end, 64), "nothing is written behind the structure");
}

}  // namespace

void fuzz::run(Input input) {
  const drmclient::OutputInfo output = make_output(input);
  fbemu::Presentation presentation;
  presentation.mode = output.modes.at(input.take_below(output.modes.size()));
  presentation.rotation = static_cast<Rotation>(input.take_below(4));
  presentation.scaling = static_cast<fbemu::Scaling>(input.take_below(3));
  presentation.direct_color = input.take_bool();
  const uint64_t memory_bytes = memories.at(input.take_below(memories.size()));

  fb_var_screeninfo var{};
  FramebufferState current = initial_state(output, presentation);
  std::array<uint32_t, sizeof var / sizeof(uint32_t)> members{};
  while (!input.empty()) {
    const size_t member = input.take<uint8_t>();
    const auto value = input.take<uint32_t>();
    if (member < members.size()) {
      members.at(member) = value;
      continue;
    }
    std::memcpy(&var, members.data(), sizeof var);
    const auto checked = fbemu::check_var(var, {output, presentation, current, memory_bytes});
    if (!checked) {
      require(checked.error().value() == EINVAL, "a refused var returns EINVAL");
      continue;
    }
    check_layout(*checked, var, memory_bytes);
    check_fix(*checked, memory_bytes);
    const auto again =
        fbemu::check_var(checked->var, {output, presentation, checked->fb_state, memory_bytes});
    require(again.has_value(), "an accepted var is accepted again");
    require(same(again->var, checked->var), "an accepted var is returned unchanged");
    require(again->fb_state == checked->fb_state, "an accepted var describes the same state");
    current = checked->fb_state;
    std::memcpy(members.data(), &checked->var, sizeof var);
  }
}
