// Tests of mode lists from broken EDIDs: no implausible number may reach code that divides by it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "drmclient/kms/kms_modes.h"
#include "tests/support/kernel_mode.h"

using drmclient::Mode;
using drmclient::mode_from_kernel;
using drmclient::mode_to_kernel;
using drmclient::modes_from_kernel;
using unit::kernel_mode_1024x768;

namespace {

constexpr std::array timing_members{&drmModeModeInfo::hdisplay,  &drmModeModeInfo::hsync_start,
                                    &drmModeModeInfo::hsync_end, &drmModeModeInfo::htotal,
                                    &drmModeModeInfo::vdisplay,  &drmModeModeInfo::vsync_start,
                                    &drmModeModeInfo::vsync_end, &drmModeModeInfo::vtotal};

/// Generates numbers near the limits, and any others.
rc::Gen<uint16_t> any_number() {
  return rc::gen::weightedOneOf<uint16_t>(
      {{1, rc::gen::element<uint16_t>(0, 1, 7, 8, 0x7fff, 0x8000, 0xffff)},
       {2, rc::gen::arbitrary<uint16_t>()}});
}

rc::Gen<uint32_t> any_clock() {
  return rc::gen::weightedOneOf<uint32_t>({{1, rc::gen::element<uint32_t>(0, 1, 0xffffffff)},
                                           {1, rc::gen::arbitrary<uint32_t>()},
                                           {2, rc::gen::inRange<uint32_t>(1'000, 4'000'000)}});
}

/// Generates random modes, and good modes with some overwritten members.
drmModeModeInfo any_kernel_mode() {
  drmModeModeInfo info = kernel_mode_1024x768();
  const bool all = *rc::gen::arbitrary<bool>();
  const auto hit = [all] { return all || *rc::gen::inRange(0, 4) == 0; };
  for (const auto member : timing_members) {
    if (hit()) info.*member = *any_number();
  }
  if (hit()) info.clock = *any_clock();
  if (hit()) info.vrefresh = *rc::gen::arbitrary<uint32_t>();
  if (hit()) info.type = *rc::gen::arbitrary<uint32_t>();
  // Usually without other flags, because they alone would drop nearly all modes.
  if (*rc::gen::inRange(0, 8) == 0) info.flags = *rc::gen::arbitrary<uint32_t>();
  if (hit()) {
    for (char& letter : info.name) letter = *rc::gen::arbitrary<char>();
  }
  return info;
}

/// Generates random modes whose members are in order, so that their order is not the reason for a refusal.
drmModeModeInfo any_ordered_mode() {
  drmModeModeInfo info = any_kernel_mode();
  for (const size_t first : {size_t{0}, size_t{4}}) {
    std::array<uint16_t, 4> numbers{};
    for (size_t i = 0; i < numbers.size(); ++i) numbers.at(i) = info.*timing_members.at(first + i);
    std::ranges::sort(numbers);
    for (size_t i = 0; i < numbers.size(); ++i) info.*timing_members.at(first + i) = numbers.at(i);
  }
  info.flags = 0;
  return info;
}

void assert_sound(const Mode& mode) {
  RC_ASSERT(mode.hdisplay >= 8U && mode.vdisplay >= 8U);
  RC_ASSERT(mode.hdisplay <= mode.hsync_start && mode.hsync_start <= mode.hsync_end &&
            mode.hsync_end <= mode.htotal);
  RC_ASSERT(mode.vdisplay <= mode.vsync_start && mode.vsync_start <= mode.vsync_end &&
            mode.vsync_end <= mode.vtotal);
  RC_ASSERT(mode.refresh_millihertz() >= 1'000U && mode.refresh_millihertz() <= 1'000'000U);
  // The bounds leave room for the rounding of the rate.
  RC_ASSERT(mode.frame_period() >= std::chrono::microseconds(999));
  RC_ASSERT(mode.frame_period() <= std::chrono::milliseconds(1001));
}

}  // namespace

RC_GTEST_PROP(AbsurdModes, AcceptedModeIsSound, ()) {
  const auto mode = mode_from_kernel(*rc::gen::arbitrary<bool>() ? any_kernel_mode() : any_ordered_mode());
  RC_CLASSIFY(mode.has_value(), "taken");
  if (mode) assert_sound(*mode);
}

RC_GTEST_PROP(AbsurdModes, SoundModeIsAccepted, ()) {
  const drmModeModeInfo info = any_ordered_mode();
  const uint64_t pixels = uint64_t{info.htotal} * info.vtotal;
  // Rounding decides at the two limits, so keep a distance.
  const bool rate =
      uint64_t{info.clock} * 1'000'000 > pixels * 1'001 && uint64_t{info.clock} * 1'000 < pixels * 999;
  const bool wanted = rate && info.hdisplay >= 8 && info.vdisplay >= 8;
  RC_PRE(wanted || pixels == 0 || info.clock == 0 || info.hdisplay < 8 || info.vdisplay < 8);
  RC_CLASSIFY(wanted, "taken");
  RC_ASSERT(mode_from_kernel(info).has_value() == wanted);
}

RC_GTEST_PROP(AbsurdModes, RoundTripKeepsTiming, ()) {
  const drmModeModeInfo info = any_ordered_mode();
  const auto mode = mode_from_kernel(info);
  if (!mode) return;
  const drmModeModeInfo back = mode_to_kernel(*mode);
  for (const auto member : timing_members) RC_ASSERT((back.*member) == (info.*member));
  RC_ASSERT(back.clock == info.clock);
}

RC_GTEST_PROP(AbsurdModes, NameEndsInsideArray, ()) {
  const auto mode = mode_from_kernel(any_kernel_mode());
  if (!mode) return;
  RC_ASSERT(mode->name.size() <= sizeof(drmModeModeInfo::name));
  RC_ASSERT(mode->name.find('\0') == std::string::npos);
  const drmModeModeInfo back = mode_to_kernel(*mode);
  RC_ASSERT(::strnlen(back.name, sizeof back.name) < sizeof back.name);
}

RC_GTEST_PROP(AbsurdModes, ListKeepsExactlySoundModes, ()) {
  std::vector<drmModeModeInfo> list(*rc::gen::inRange<size_t>(0, 8));
  std::ranges::generate(list, any_kernel_mode);
  const auto sound =
      std::ranges::count_if(list, [](const auto& info) { return mode_from_kernel(info).has_value(); });
  const auto modes = modes_from_kernel(list.data(), list.size());
  RC_ASSERT(modes.size() == static_cast<size_t>(sound));
  for (const Mode& mode : modes) assert_sound(mode);
}

RC_GTEST_PROP(AbsurdModes, AnyModeHasRateAndPeriod, ()) {
  // A mode that was not made by these functions.
  Mode mode;
  mode.clock_khz = *any_clock();
  mode.htotal = *any_number();
  mode.vtotal = *any_number();
  RC_ASSERT(mode.frame_period() > std::chrono::nanoseconds(0));
  const bool complete = mode.clock_khz != 0 && mode.htotal != 0 && mode.vtotal != 0;
  const auto hertz = complete ? 1000.0 * mode.clock_khz / mode.htotal / mode.vtotal : 0.0;
  RC_ASSERT(std::abs(std::min(hertz * 1000, 4294967295.0) - mode.refresh_millihertz()) <= 0.5 + hertz * 1e-9);
}

TEST(AbsurdModes, MalformedModeIsDropped) {
  ASSERT_TRUE(mode_from_kernel(kernel_mode_1024x768()).has_value());
  for (const auto member : timing_members) {
    drmModeModeInfo info = kernel_mode_1024x768();
    info.*member = 0;
    EXPECT_FALSE(mode_from_kernel(info).has_value());
  }
  for (const auto member : {&drmModeModeInfo::hdisplay, &drmModeModeInfo::vdisplay}) {
    drmModeModeInfo info = kernel_mode_1024x768();
    info.*member = 0xffff;
    EXPECT_FALSE(mode_from_kernel(info).has_value()) << "larger than its total";
    info.*member = 7;
    EXPECT_FALSE(mode_from_kernel(info).has_value()) << "too small for a buffer";
  }
  for (const uint32_t clock : {0U, 1'000U, 1'084'000U, 0xffffffffU}) {
    drmModeModeInfo info = kernel_mode_1024x768();
    info.clock = clock;
    EXPECT_FALSE(mode_from_kernel(info).has_value()) << clock;
  }
}
