#include "drmclient/kms/kms_modes.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "tests/support/kernel_mode.h"

using drmclient::make_mode;
using drmclient::Mode;
using drmclient::mode_from_kernel;
using drmclient::mode_to_kernel;
using drmclient::modes_from_kernel;

namespace {

/// Returns the kernel's mode of VESA DMT for 1024x768 at 60 Hz.
drmModeModeInfo dmt_1024x768(uint32_t type = DRM_MODE_TYPE_DRIVER) {
  drmModeModeInfo info = unit::kernel_mode_1024x768();
  info.vrefresh = 60;
  info.flags = DRM_MODE_FLAG_NHSYNC | DRM_MODE_FLAG_NVSYNC;
  info.type = type;
  return info;
}

drmModeModeInfo named(const char* name, uint32_t type) {
  drmModeModeInfo info = dmt_1024x768(type);
  std::strcpy(info.name, name);
  return info;
}

}  // namespace

TEST(KmsModes, EveryMemberIsConverted) {
  const auto mode = mode_from_kernel(dmt_1024x768(DRM_MODE_TYPE_DRIVER | DRM_MODE_TYPE_PREFERRED));
  ASSERT_TRUE(mode.has_value());
  EXPECT_EQ(mode->name, "1024x768");
  EXPECT_EQ(mode->clock_khz, 65'000U);
  EXPECT_EQ(mode->hdisplay, 1024U);
  EXPECT_EQ(mode->hsync_start, 1048U);
  EXPECT_EQ(mode->hsync_end, 1184U);
  EXPECT_EQ(mode->htotal, 1344U);
  EXPECT_EQ(mode->vdisplay, 768U);
  EXPECT_EQ(mode->vsync_start, 771U);
  EXPECT_EQ(mode->vsync_end, 777U);
  EXPECT_EQ(mode->vtotal, 806U);
  EXPECT_FALSE(mode->hsync_positive);
  EXPECT_FALSE(mode->vsync_positive);
  EXPECT_TRUE(mode->preferred);
  EXPECT_EQ(mode->refresh_millihertz(), 60'004U);
}

TEST(KmsModes, KernelModeSurvivesRoundTrip) {
  const drmModeModeInfo info = dmt_1024x768();
  drmModeModeInfo back = mode_to_kernel(*mode_from_kernel(info));
  EXPECT_EQ(back.type, static_cast<uint32_t>(DRM_MODE_TYPE_USERDEF));
  back.type = info.type;
  EXPECT_EQ(std::memcmp(&back, &info, sizeof info), 0);
}

TEST(KmsModes, ModeSurvivesRoundTrip) {
  const Mode made = make_mode({1366, 768}, 59'940);
  EXPECT_EQ(mode_from_kernel(mode_to_kernel(made)), made);
}

TEST(KmsModes, LongNameIsTerminatedInsideArray) {
  drmModeModeInfo info = dmt_1024x768();
  std::memset(info.name, 'x', sizeof info.name);
  const auto mode = mode_from_kernel(info);
  ASSERT_TRUE(mode.has_value());
  EXPECT_EQ(mode->name, std::string(DRM_DISPLAY_MODE_LEN, 'x'));
  EXPECT_EQ(mode_to_kernel(*mode).name[DRM_DISPLAY_MODE_LEN - 1], '\0');
}

TEST(KmsModes, UnsupportedFlagsAreDropped) {
  for (const int flag : {DRM_MODE_FLAG_INTERLACE, DRM_MODE_FLAG_DBLSCAN, DRM_MODE_FLAG_DBLCLK,
                         DRM_MODE_FLAG_3D_FRAME_PACKING}) {
    drmModeModeInfo info = dmt_1024x768();
    info.flags |= static_cast<uint32_t>(flag);
    EXPECT_FALSE(mode_from_kernel(info).has_value()) << flag;
  }
  drmModeModeInfo scanned_twice = dmt_1024x768();
  scanned_twice.vscan = 2;
  EXPECT_FALSE(mode_from_kernel(scanned_twice).has_value());
}

TEST(KmsModes, UserModeComesBeforePreferredModes) {
  const std::vector list{named("a", DRM_MODE_TYPE_DRIVER), named("b", DRM_MODE_TYPE_PREFERRED),
                         named("c", DRM_MODE_TYPE_DRIVER), named("d", DRM_MODE_TYPE_USERDEF)};
  std::string order;
  for (const Mode& mode : modes_from_kernel(list.data(), list.size())) order += mode.name;
  EXPECT_EQ(order, "dbac");
  EXPECT_TRUE(modes_from_kernel(nullptr, 0).empty());
}
