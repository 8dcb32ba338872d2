// Tests of the number of kernel calls of a KmsCard.
#include <gtest/gtest.h>

#include "tests/support/kms_card_fixture.h"

using drmclient::PixelFormat;
using KmsCalls = unit::KmsCardFixture;

namespace {

class KmsCallsOfOneCrtc : public unit::KmsCardFixture {
 protected:
  KmsCallsOfOneCrtc() : KmsCardFixture(2, 1) {}
};

}  // namespace

TEST_F(KmsCalls, EnablingTwoOutputsReadsEachConnectorOnce) {
  ASSERT_TRUE(enable(first));
  ASSERT_TRUE(enable(second));
  EXPECT_EQ(connector_reads(), 2U);
}

TEST_F(KmsCalls, EnablingAfterProbeReadsNoConnector) {
  ASSERT_EQ(card->probe().value().size(), 2U);
  drm.calls.clear();
  ASSERT_TRUE(enable(first));
  ASSERT_TRUE(enable(second));
  EXPECT_EQ(connector_reads(), 0U);
}

TEST_F(KmsCalls, RefusedFormatsReadEachConnectorOnce) {
  drm.refused_formats = {PixelFormat::rgb888, PixelFormat::rgb565};
  for (const PixelFormat format : drm.refused_formats) {
    const auto refused = make_buffer(format);
    EXPECT_EQ(output(first).set_mode(mode, *refused, {}).error().value(), EINVAL);
  }
  ASSERT_TRUE(enable(first));
  EXPECT_EQ(connector_reads(), 2U);
}

TEST_F(KmsCalls, CheckedFormatsReadEachConnectorOnce) {
  for (const PixelFormat format : {PixelFormat::rgb888, PixelFormat::rgb565, PixelFormat::xrgb8888}) {
    const auto checked = make_buffer(format);
    EXPECT_TRUE(output(first).check_mode(mode, *checked).has_value());
  }
  EXPECT_EQ(connector_reads(), 2U);
  EXPECT_EQ(drm.calls["drmModeGetConnectorCurrent"], 0U) << "a check has nothing to restore";
}

TEST_F(KmsCalls, ProbeReadsEveryConnectorAgain) {
  ASSERT_TRUE(enable(first));
  drm.connector(second)->connected = false;
  drm.calls.clear();
  EXPECT_FALSE(card->probe().value().at(1)->info().connected);
  EXPECT_EQ(connector_reads(), 2U);
}

TEST_F(KmsCalls, EnablingAfterHotplugReadsConnectorsAgain) {
  ASSERT_TRUE(enable(first));
  drm.send_uevent("change", true);
  EXPECT_EQ(hotplugs(), 1U);
  drm.calls.clear();
  ASSERT_TRUE(enable(second));
  EXPECT_EQ(connector_reads(), 2U);
}

TEST_F(KmsCalls, VanishedConnectorIsRefusedAfterOneRead) {
  drm.connectors.pop_back();
  EXPECT_EQ(output(second).set_mode(mode, *buffer, {}).error().value(), ENOENT);
  EXPECT_EQ(connector_reads(), 1U);
}

TEST_F(KmsCalls, ReopenedNodeReadsConnectorsAgain) {
  ASSERT_TRUE(card->probe().has_value());
  buffer.reset();
  buffer = make_buffer(PixelFormat::xrgb8888);
  drm.calls.clear();
  ASSERT_TRUE(enable(first));
  EXPECT_EQ(connector_reads(), 2U);
}

TEST_F(KmsCallsOfOneCrtc, OutputGetsCrtcReleasedByOtherOutput) {
  ASSERT_TRUE(enable(first));
  EXPECT_EQ(output(second).set_mode(mode, *buffer, {}).error().value(), ENOSPC);
  output(first).release_without_restore();
  drm.connector(first)->connected = false;
  drm.connector(first)->encoder_id = 0;
  drm.encoder(unit::FakeDrm::first_encoder)->crtc_id = 0;
  EXPECT_TRUE(enable(second));
}

TEST_F(KmsCallsOfOneCrtc, OutputGetsCrtcReleasedByOtherProgram) {
  drm.connector(second)->encoder_id = unit::FakeDrm::first_encoder + 1;
  drm.encoder(unit::FakeDrm::first_encoder + 1)->crtc_id = unit::FakeDrm::first_crtc;
  ASSERT_EQ(output(first).set_mode(mode, *buffer, {}).error().value(), ENOSPC);
  drm.connector(second)->encoder_id = 0;
  drm.encoder(unit::FakeDrm::first_encoder + 1)->crtc_id = 0;
  EXPECT_TRUE(enable(first));
}

TEST_F(KmsCalls, FrameReadsCrtcOnce) {
  ASSERT_TRUE(enable(first));
  drm.calls.clear();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(frame(first));
    clock.advance(mode.frame_period());
  }
  EXPECT_EQ(drm.calls["drmModeGetCrtc"], 3U);
}

TEST_F(KmsCalls, PresentWithoutCheckReadsCrtc) {
  ASSERT_TRUE(enable(first));
  ASSERT_TRUE(frame(first));
  drm.calls.clear();
  ASSERT_TRUE(card->present({output(first), *buffer, {}, {}}).has_value());
  EXPECT_EQ(drm.calls["drmModeGetCrtc"], 1U) << "the result of the previous frame is used once";
}

TEST_F(KmsCalls, CrtcStateOfEarlierFrameIsNotReused) {
  ASSERT_TRUE(enable(first));
  ASSERT_TRUE(output(first).scans_out_our_fb());
  clock.advance(mode.frame_period());
  drm.crtc(unit::FakeDrm::first_crtc)->framebuffer_id = 999;
  drm.calls.clear();
  ASSERT_TRUE(card->present({output(first), *buffer, {}, {}}).has_value());
  EXPECT_EQ(drm.calls["drmModeSetCrtc"], 1U) << "the picture of another program is replaced";
}

TEST_F(KmsCalls, PreemptedCrtcStateIsNotReused) {
  ASSERT_TRUE(enable(first));
  auto* const crtc = drm.crtc(unit::FakeDrm::first_crtc);
  const uint32_t own = std::exchange(crtc->framebuffer_id, 999);
  EXPECT_FALSE(output(first).scans_out_our_fb());
  crtc->framebuffer_id = own;
  drm.calls.clear();
  ASSERT_TRUE(card->present({output(first), *buffer, {}, {}}).has_value());
  EXPECT_EQ(drm.calls["drmModeSetCrtc"], 0U);
}
