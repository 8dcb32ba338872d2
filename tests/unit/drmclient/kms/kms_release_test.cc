// Tests of the framebuffer that a CRTC shows after its output was released.
#include <gtest/gtest.h>

#include "tests/support/kms_card_fixture.h"

namespace {

/// A card whose first output shows the kernel's console.
class KmsRelease : public unit::KmsCardFixture {
 protected:
  static constexpr uint32_t console = 7;
  static constexpr uint32_t other = 8;

  KmsRelease() {
    drm.framebuffers[console] = drm.framebuffers[other] = drmclient::PixelFormat::xrgb8888;
    *drm.crtc(unit::FakeDrm::first_crtc) = {unit::FakeDrm::first_crtc, console, unit::FakeDrm::a_mode(),
                                            true};
    drm.connector(first)->encoder_id = unit::FakeDrm::first_encoder;
    drm.encoder(unit::FakeDrm::first_encoder)->crtc_id = unit::FakeDrm::first_crtc;
  }

  [[nodiscard]] uint32_t shown() { return drm.crtc(unit::FakeDrm::first_crtc)->framebuffer_id; }
};

}  // namespace

TEST_F(KmsRelease, ReleasedOutputShowsConsole) {
  ASSERT_TRUE(enable(first));
  ASSERT_NE(shown(), console);
  output(first).release();
  EXPECT_EQ(shown(), console);
}

TEST_F(KmsRelease, OutputReleasedDuringCallOfOtherMasterShowsConsole) {
  ASSERT_TRUE(enable(first));
  drm.refused_masters = 3;
  output(first).release();
  EXPECT_EQ(shown(), console);
}

TEST_F(KmsRelease, OutputReleasedWhileOtherMasterStaysIsNotRestored) {
  ASSERT_TRUE(enable(first));
  const uint32_t ours = shown();
  drm.other_master = true;
  output(first).release();
  EXPECT_EQ(shown(), ours);
}

TEST_F(KmsRelease, FramebufferOfOtherMasterIsNotAwaited) {
  ASSERT_TRUE(enable(first));
  drm.crtc(unit::FakeDrm::first_crtc)->framebuffer_id = other;
  drm.other_master = true;
  drm.calls.clear();
  output(first).release();
  EXPECT_EQ(shown(), other);
  EXPECT_EQ(drm.calls["drmSetMaster"], 1U);
}
