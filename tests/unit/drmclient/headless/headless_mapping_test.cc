#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/enabled_card.h"
#include "tests/support/memory_probe.h"

using drmclient::AccessMode;
using drmclient::MappingChoice;
using drmclient::MappingCounts;
using drmclient::MappingKind;
using drmclient::PixelFormat;
using drmclient::Rect;
using drmclient::ScanoutBuffer;
using drmclient::Size;
using unit::EnabledCard;
using unit::FaultyOptions;

namespace {

constexpr uint64_t buffer_bytes = 32 * 4 * 24;

FaultyOptions with(MappingChoice mapping) {
  FaultyOptions options;
  options.mapping = mapping;
  return options;
}

MappingCounts counts(const EnabledCard& enabled, MappingKind kind) {
  return enabled.card.mapping_statistics().of(kind);
}

uint32_t pixel_of(ScanoutBuffer& buffer, uint32_t x, uint32_t y) {
  const auto access = buffer.begin_access(AccessMode::read);
  EXPECT_TRUE(access.has_value());
  uint32_t pixel = 0;
  std::memcpy(&pixel, access->row(y).data() + size_t{x} * sizeof pixel, sizeof pixel);
  return pixel;
}

int present(EnabledCard& enabled, const std::vector<Rect>& damage) {
  const auto presented = enabled.card.present({enabled.output, *enabled.buffer, {}, damage});
  return presented ? 0 : presented.error().value();
}

}  // namespace

TEST(HeadlessMapping, RepeatedAccessesShareOneMapping) {
  EnabledCard enabled;
  for (int i = 0; i < 5; ++i) enabled.set_pixel(1, 1, 0x123456);
  EXPECT_EQ(counts(enabled, MappingKind::dumb),
            (MappingCounts{.hits = 4, .misses = 1, .mapped_bytes = buffer_bytes}));
  EXPECT_EQ(enabled.output.driver_paths().mapping, "memory");
}

TEST(HeadlessMapping, CaptureCountsAsNoAccess) {
  EnabledCard enabled(unit::strict_display());
  enabled.set_pixel(1, 1, 0x123456);
  const auto before = enabled.card.mapping_statistics();
  ASSERT_EQ(present(enabled, {{0, 0, 4, 4}}), 0);
  EXPECT_EQ(enabled.shown(1, 1), 0x123456U);
  EXPECT_EQ(enabled.card.mapping_statistics(), before);
}

TEST(HeadlessMapping, UnmapDropsMappingUnlessInAccess) {
  EnabledCard enabled;
  {
    const auto access = enabled.buffer->begin_access(AccessMode::write);
    enabled.buffer->unmap();
    EXPECT_TRUE(unit::is_readable(access->data()));
  }
  enabled.buffer->unmap();
  EXPECT_EQ(counts(enabled, MappingKind::dumb), (MappingCounts{.misses = 1, .released_on_hint = 1}));
  enabled.set_pixel(0, 0, 1);
  EXPECT_EQ(counts(enabled, MappingKind::dumb).remaps, 1U);
}

TEST(HeadlessMapping, ReleasedMappingsAreRemadeTransparently) {
  EnabledCard enabled;
  auto other = std::move(*enabled.card.create_buffer({16, 12}, PixelFormat::xrgb8888));
  enabled.set_pixel(3, 3, 0x333333);
  EnabledCard::set_pixel(*other, 4, 4, 0x444444);
  enabled.card.release_mappings();
  EXPECT_EQ(counts(enabled, MappingKind::dumb).mapped_bytes, 0U);
  EXPECT_EQ(counts(enabled, MappingKind::dumb).released_for_pressure, 2U);
  EXPECT_EQ(pixel_of(*enabled.buffer, 3, 3), 0x333333U);
  EXPECT_EQ(pixel_of(*other, 4, 4), 0x444444U);
}

TEST(HeadlessMapping, CacheLimitComesFromOptions) {
  FaultyOptions options;
  options.mapping_limit_bytes = buffer_bytes;
  EnabledCard enabled(options);
  auto other = std::move(*enabled.card.create_buffer({32, 24}, PixelFormat::xrgb8888));
  enabled.set_pixel(3, 3, 0x333333);
  EnabledCard::set_pixel(*other, 4, 4, 0x444444);
  EXPECT_EQ(pixel_of(*enabled.buffer, 3, 3), 0x333333U);
  EXPECT_EQ(counts(enabled, MappingKind::dumb),
            (MappingCounts{.misses = 3, .remaps = 1, .mapped_bytes = buffer_bytes, .released_for_limit = 2}));
}

TEST(HeadlessMapping, AutomaticChoiceTriesDumbThenDmaBufThenShadow) {
  for (const auto& [dumb, dma_buf, kind] :
       std::vector<std::tuple<int, int, MappingKind>>{{0, EIO, MappingKind::dumb},
                                                      {ENOSYS, 0, MappingKind::dma_buf},
                                                      {ENOSYS, ENOSYS, MappingKind::shadow}}) {
    EnabledCard enabled;
    enabled.card.refuse_mappings(dumb, dma_buf);
    enabled.set_pixel(1, 1, 1);
    EXPECT_EQ(counts(enabled, kind).hits + counts(enabled, kind).misses, 1U) << static_cast<int>(kind);
  }
}

TEST(HeadlessMapping, RefusedDmaBufChoiceFallsBackToDumb) {
  EnabledCard enabled(with(MappingChoice::dma_buf));
  enabled.card.refuse_mappings(0, EOPNOTSUPP);
  enabled.set_pixel(1, 1, 1);
  EXPECT_EQ(enabled.output.driver_paths().mapping, "memory");
  EnabledCard other(with(MappingChoice::dma_buf));
  other.set_pixel(1, 1, 1);
  EXPECT_EQ(other.output.driver_paths().mapping, "dma-buf");
}

TEST(HeadlessMapping, RefusedDumbChoiceFails) {
  EnabledCard enabled(with(MappingChoice::dumb));
  enabled.card.refuse_mappings(ENOSYS, 0);
  EXPECT_EQ(enabled.buffer->begin_access(AccessMode::write).error().value(), ENOSYS);
  enabled.card.refuse_mappings(0, 0);
  EXPECT_TRUE(enabled.buffer->begin_access(AccessMode::write).has_value());
}

TEST(HeadlessMapping, UnpluggedCardFailsWithoutShadow) {
  EnabledCard enabled;
  enabled.card.refuse_mappings(ENODEV, ENODEV);
  EXPECT_EQ(enabled.buffer->begin_access(AccessMode::write).error().value(), ENODEV);
  enabled.card.refuse_mappings(0, 0);
  enabled.set_pixel(1, 1, 1);
  EXPECT_EQ(enabled.output.driver_paths().mapping, "memory");
}

TEST(HeadlessMapping, MappedBufferNeverSwitchesToShadow) {
  EnabledCard enabled;
  enabled.set_pixel(1, 1, 0x123456);
  enabled.buffer->unmap();
  enabled.card.refuse_mappings(ENOMEM, ENOSYS);
  EXPECT_EQ(enabled.buffer->begin_access(AccessMode::read).error().value(), ENOMEM);
  enabled.card.refuse_mappings(ENOMEM, 0);
  EXPECT_EQ(pixel_of(*enabled.buffer, 1, 1), 0x123456U) << "both kinds of mapping reach the same pixels";
}

TEST(HeadlessMapping, AccessAfterFailedSyncSucceeds) {
  EnabledCard enabled(with(MappingChoice::dma_buf));
  enabled.card.fail_syncs({EIO});
  EXPECT_EQ(enabled.buffer->begin_access(AccessMode::write).error().value(), EIO);
  enabled.buffer->unmap();
  EXPECT_EQ(counts(enabled, MappingKind::dma_buf).mapped_bytes, 0U) << "nothing is in access";
  enabled.set_pixel(1, 1, 0x111111);
  EXPECT_EQ(enabled.shown(1, 1), 0x111111U);
}

TEST(HeadlessMapping, FailedSyncFailsEndOfAccess) {
  EnabledCard enabled(with(MappingChoice::dma_buf));
  auto access = enabled.buffer->begin_access(AccessMode::write);
  ASSERT_TRUE(access.has_value());
  enabled.card.fail_syncs({EINTR, EIO});
  EXPECT_EQ(access->end().error().value(), EIO);
}

TEST(HeadlessMapping, IncoherentDmaBufIsVisibleAfterSync) {
  FaultyOptions options = with(MappingChoice::dma_buf);
  options.incoherent_dma_bufs = true;
  EnabledCard enabled(options);
  auto access = std::move(*enabled.buffer->begin_access(AccessMode::write));
  access.row(2)[4] = std::byte{0x77};
  EXPECT_EQ(enabled.shown(1, 2), 0U) << "the access has not ended";
  ASSERT_TRUE(access.end().has_value());
  EXPECT_EQ(enabled.shown(1, 2), 0x77U);
}

// Tests of the shadow.

TEST(HeadlessShadow, PresentUploadsOnlyDamage) {
  EnabledCard enabled(with(MappingChoice::shadow));
  enabled.set_pixel(1, 1, 0x111111);
  enabled.set_pixel(5, 5, 0x555555);
  EXPECT_EQ(enabled.shown(1, 1), 0U);
  EXPECT_EQ(pixel_of(*enabled.buffer, 1, 1), 0x111111U);
  ASSERT_EQ(present(enabled, {{1, 1, 2, 2}}), 0);
  EXPECT_EQ(enabled.shown(1, 1), 0x111111U);
  EXPECT_EQ(enabled.shown(5, 5), 0U) << "the pixel is outside the damage";
  EXPECT_EQ(enabled.output.driver_paths().mapping, "shadow");
}

TEST(HeadlessShadow, ShadowKeepsNoMapping) {
  EnabledCard enabled(with(MappingChoice::shadow));
  for (int i = 0; i < 3; ++i) {
    enabled.set_pixel(1, 1, 0x111111);
    ASSERT_EQ(present(enabled, {{0, 0, 2, 2}, {4, 4, 8, 5}}), 0);
  }
  EXPECT_EQ(counts(enabled, MappingKind::shadow),
            (MappingCounts{.hits = 3, .misses = 3, .remaps = 2, .uploaded_bytes = 3 * 8 * 4}));
  EXPECT_EQ(counts(enabled, MappingKind::dumb), MappingCounts{});
}

TEST(HeadlessShadow, ModeSetUploadsWholeShadow) {
  EnabledCard enabled(with(MappingChoice::shadow));
  enabled.set_pixel(7, 7, 0x777777);
  ASSERT_TRUE(enabled.output.set_mode(enabled.mode, *enabled.buffer, {}).has_value());
  EXPECT_EQ(enabled.shown(7, 7), 0x777777U);
}

TEST(HeadlessShadow, FlipUploadsUnpresentedWrites) {
  EnabledCard enabled(with(MappingChoice::shadow));
  auto other = std::move(*enabled.card.create_buffer({32, 24}, PixelFormat::xrgb8888));
  EnabledCard::set_pixel(*other, 7, 7, 0x777777);
  enabled.set_pixel(2, 2, 0x222222);
  ASSERT_TRUE(enabled.card.present({enabled.output, *other, {}, {}}).has_value());
  EXPECT_EQ(enabled.shown(7, 7), 0x777777U);
  ASSERT_EQ(present(enabled, {}), 0);
  EXPECT_EQ(enabled.shown(2, 2), 0x222222U);
  const auto uploads = counts(enabled, MappingKind::shadow).misses;
  ASSERT_TRUE(enabled.card.present({enabled.output, *other, {}, {}}).has_value());
  EXPECT_EQ(counts(enabled, MappingKind::shadow).misses, uploads) << "nothing was written since the upload";
}

TEST(HeadlessShadow, PanUploadsUnpresentedWrites) {
  EnabledCard enabled(with(MappingChoice::shadow));
  enabled.set_pixel(20, 20, 0x202020);
  ASSERT_TRUE(enabled.card.present({enabled.output, *enabled.buffer, {16, 12}, {}}).has_value());
  EXPECT_EQ(enabled.shown(4, 8), 0x202020U);
}

TEST(HeadlessShadow, RefusedUploadFailsPresentAndModeSet) {
  EnabledCard enabled(with(MappingChoice::shadow));
  enabled.set_pixel(1, 1, 0x111111);
  enabled.card.refuse_mappings(ENOMEM, ENOSYS);
  EXPECT_EQ(present(enabled, {{0, 0, 4, 4}}), ENOMEM);
  EXPECT_EQ(enabled.output.set_mode(drmclient::make_mode({20, 20}), *enabled.buffer, {}).error().value(),
            ENOMEM);
  EXPECT_EQ(enabled.output.capture()->size, (Size{16, 12}));
  EXPECT_EQ(enabled.shown(1, 1), 0U);
  enabled.card.refuse_mappings(ENOMEM, 0);
  EXPECT_EQ(present(enabled, {{0, 0, 4, 4}}), 0) << "one working kind of mapping suffices";
  EXPECT_EQ(enabled.shown(1, 1), 0x111111U);
}

TEST(HeadlessShadow, FailedSyncFailsPresent) {
  EnabledCard enabled(with(MappingChoice::shadow));
  enabled.card.refuse_mappings(ENOSYS, 0);
  enabled.set_pixel(1, 1, 0x111111);
  enabled.card.fail_syncs({EIO});
  EXPECT_EQ(present(enabled, {{0, 0, 4, 4}}), EIO);
  enabled.card.fail_syncs({0, EIO});
  EXPECT_EQ(present(enabled, {{0, 0, 4, 4}}), EIO);
  EXPECT_EQ(present(enabled, {{0, 0, 4, 4}}), 0);
}

TEST(HeadlessShadow, FlipAfterFailedUploadUploadsAll) {
  EnabledCard enabled(with(MappingChoice::shadow));
  auto other = std::move(*enabled.card.create_buffer({32, 24}, PixelFormat::xrgb8888));
  EnabledCard::set_pixel(*other, 7, 7, 0x777777);
  enabled.card.refuse_mappings(ENOMEM, ENOMEM);
  EXPECT_FALSE(enabled.card.present({enabled.output, *other, {}, {}}).has_value());
  enabled.card.refuse_mappings(0, 0);
  EXPECT_TRUE(enabled.card.present({enabled.output, *other, {}, {}}).has_value());
  EXPECT_EQ(enabled.shown(7, 7), 0x777777U);
}

TEST(HeadlessShadow, AutomaticChoiceUsesShadowForUploadOnlyMappings) {
  FaultyOptions options;
  options.mappings_for_uploads_only = true;
  EnabledCard enabled(options);
  enabled.set_pixel(1, 1, 0x111111);
  EXPECT_EQ(enabled.output.driver_paths().mapping, "shadow");
  ASSERT_EQ(present(enabled, {{0, 0, 4, 4}}), 0);
  EXPECT_EQ(enabled.shown(1, 1), 0x111111U);
}

TEST(HeadlessShadow, ReadAccessNeedsNoUpload) {
  EnabledCard enabled(with(MappingChoice::shadow));
  enabled.set_pixel(1, 1, 0x111111);
  ASSERT_TRUE(enabled.output.set_mode(enabled.mode, *enabled.buffer, {}).has_value());
  const auto uploads = counts(enabled, MappingKind::shadow).misses;
  EXPECT_EQ(pixel_of(*enabled.buffer, 1, 1), 0x111111U);
  ASSERT_TRUE(enabled.card.present({enabled.output, *enabled.buffer, {1, 1}, {}}).has_value());
  EXPECT_EQ(counts(enabled, MappingKind::shadow).misses, uploads);
}

TEST(HeadlessMapping, BufferOfOtherCardTypeIsRefused) {
  EnabledCard enabled;
  class Foreign final : public ScanoutBuffer {
   public:
    Foreign() : ScanoutBuffer({32, 24}, PixelFormat::xrgb8888, 128) {}
    void unmap() override {}

   private:
    base::Result<std::byte*> begin_mapping(AccessMode) override { return base::failure(EIO); }
    base::Result<void> end_mapping(AccessMode) override { return {}; }
  } foreign;
  EXPECT_EQ(enabled.card.present({enabled.output, foreign, {}, {}}).error().value(), EINVAL);
  EXPECT_EQ(enabled.output.set_mode(enabled.mode, foreign, {}).error().value(), EINVAL);
}
