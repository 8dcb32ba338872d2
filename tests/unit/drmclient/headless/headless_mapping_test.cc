#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "drmclient/headless/headless_card.h"
#include "tests/support/lit_card.h"
#include "tests/support/memory_probe.h"

using drmclient::AccessMode;
using drmclient::HeadlessCard;
using drmclient::HeadlessOptions;
using drmclient::MappingChoice;
using drmclient::MappingCounts;
using drmclient::MappingKind;
using drmclient::PixelFormat;
using drmclient::Rect;
using drmclient::ScanoutBuffer;
using drmclient::Size;
using unit::LitCard;

namespace {

constexpr uint64_t buffer_bytes = 32 * 4 * 24;

HeadlessOptions with(MappingChoice mapping) {
  HeadlessOptions options;
  options.mapping = mapping;
  return options;
}

MappingCounts counts(const LitCard& lit, MappingKind kind) {
  return lit.card.mapping_statistics().of(kind);
}

uint32_t pixel_of(ScanoutBuffer& buffer, uint32_t x, uint32_t y) {
  const auto access = buffer.begin_access(AccessMode::read);
  EXPECT_TRUE(access.has_value());
  uint32_t pixel = 0;
  std::memcpy(&pixel, access->row(y).data() + size_t{x} * sizeof pixel, sizeof pixel);
  return pixel;
}

int present(LitCard& lit, const std::vector<Rect>& damage) {
  const auto presented = lit.card.present(LitCard::output, *lit.buffer, {}, damage);
  return presented ? 0 : presented.error().value();
}

}  // namespace

TEST(HeadlessMapping, IsMadeOnceForManyAccesses) {
  LitCard lit;
  for (int i = 0; i < 5; ++i) lit.set_pixel(1, 1, 0x123456);
  EXPECT_EQ(counts(lit, MappingKind::dumb),
            (MappingCounts{.hits = 4, .misses = 1, .mapped_bytes = buffer_bytes}));
  EXPECT_EQ(lit.card.paths(LitCard::output).mapping, "memory");
}

TEST(HeadlessMapping, ADisplayThatIsLookedAtIsNoAccess) {
  LitCard lit(unit::strict_display());
  lit.set_pixel(1, 1, 0x123456);
  const auto before = lit.card.mapping_statistics();
  ASSERT_EQ(present(lit, {{0, 0, 4, 4}}), 0);
  EXPECT_EQ(lit.shown(1, 1), 0x123456U);
  EXPECT_EQ(lit.card.mapping_statistics(), before);
}

TEST(HeadlessMapping, TheHintDropsItUnlessItIsInAccess) {
  LitCard lit;
  {
    const auto access = lit.buffer->begin_access(AccessMode::write);
    lit.buffer->unmap();
    EXPECT_TRUE(unit::is_readable(access->data()));
  }
  lit.buffer->unmap();
  EXPECT_EQ(counts(lit, MappingKind::dumb), (MappingCounts{.misses = 1, .released_on_hint = 1}));
  lit.set_pixel(0, 0, 1);
  EXPECT_EQ(counts(lit, MappingKind::dumb).remaps, 1U);
}

TEST(HeadlessMapping, PressureDropsAllAndNobodyNotices) {
  LitCard lit;
  auto other = std::move(*lit.card.create_buffer({16, 12}, PixelFormat::xrgb8888));
  lit.set_pixel(3, 3, 0x333333);
  LitCard::set_pixel(*other, 4, 4, 0x444444);
  lit.card.release_mappings();
  EXPECT_EQ(counts(lit, MappingKind::dumb).mapped_bytes, 0U);
  EXPECT_EQ(counts(lit, MappingKind::dumb).released_for_pressure, 2U);
  EXPECT_EQ(pixel_of(*lit.buffer, 3, 3), 0x333333U);
  EXPECT_EQ(pixel_of(*other, 4, 4), 0x444444U);
}

TEST(HeadlessMapping, TheLimitIsThatOfTheOptions) {
  HeadlessOptions options;
  options.mapping_limit_bytes = buffer_bytes;
  LitCard lit(options);
  auto other = std::move(*lit.card.create_buffer({32, 24}, PixelFormat::xrgb8888));
  lit.set_pixel(3, 3, 0x333333);
  LitCard::set_pixel(*other, 4, 4, 0x444444);
  EXPECT_EQ(pixel_of(*lit.buffer, 3, 3), 0x333333U);
  EXPECT_EQ(counts(lit, MappingKind::dumb),
            (MappingCounts{.misses = 3, .remaps = 1, .mapped_bytes = buffer_bytes, .released_for_limit = 2}));
}

TEST(HeadlessMapping, GoesFromADumbMappingToADmaBufToTheShadow) {
  for (const auto& [dumb, dma_buf, kind] :
       std::vector<std::tuple<int, int, MappingKind>>{{0, EIO, MappingKind::dumb},
                                                      {ENOSYS, 0, MappingKind::dma_buf},
                                                      {ENOSYS, ENOSYS, MappingKind::shadow}}) {
    LitCard lit;
    lit.card.refuse_mappings(dumb, dma_buf);
    lit.set_pixel(1, 1, 1);
    EXPECT_EQ(counts(lit, kind).hits + counts(lit, kind).misses, 1U) << static_cast<int>(kind);
  }
}

TEST(HeadlessMapping, AForcedDmaBufIsADumbMappingWhereItIsRefused) {
  LitCard lit(with(MappingChoice::dma_buf));
  lit.card.refuse_mappings(0, EOPNOTSUPP);
  lit.set_pixel(1, 1, 1);
  EXPECT_EQ(lit.card.paths(LitCard::output).mapping, "memory");
  LitCard other(with(MappingChoice::dma_buf));
  other.set_pixel(1, 1, 1);
  EXPECT_EQ(other.card.paths(LitCard::output).mapping, "dma-buf");
}

TEST(HeadlessMapping, AForcedDumbMappingIsThatOrAnError) {
  LitCard lit(with(MappingChoice::dumb));
  lit.card.refuse_mappings(ENOSYS, 0);
  EXPECT_EQ(lit.buffer->begin_access(AccessMode::write).error().value(), ENOSYS);
  lit.card.refuse_mappings(0, 0);
  EXPECT_TRUE(lit.buffer->begin_access(AccessMode::write).has_value());
}

TEST(HeadlessMapping, ACardThatIsGoneIsAnErrorAndNoReasonForAShadow) {
  LitCard lit;
  lit.card.refuse_mappings(ENODEV, ENODEV);
  EXPECT_EQ(lit.buffer->begin_access(AccessMode::write).error().value(), ENODEV);
  lit.card.refuse_mappings(0, 0);
  lit.set_pixel(1, 1, 1);
  EXPECT_EQ(lit.card.paths(LitCard::output).mapping, "memory");
}

TEST(HeadlessMapping, ABufferThatWasMappedDoesNotGoOverToTheShadow) {
  LitCard lit;
  lit.set_pixel(1, 1, 0x123456);
  lit.buffer->unmap();
  lit.card.refuse_mappings(ENOMEM, ENOSYS);
  EXPECT_EQ(lit.buffer->begin_access(AccessMode::read).error().value(), ENOMEM);
  lit.card.refuse_mappings(ENOMEM, 0);
  EXPECT_EQ(pixel_of(*lit.buffer, 1, 1), 0x123456U) << "the other way leads to the same pixels";
}

TEST(HeadlessMapping, AnAccessWhoseBracketFailsCanBeTriedAgain) {
  LitCard lit(with(MappingChoice::dma_buf));
  lit.card.fail_syncs({EIO});
  EXPECT_EQ(lit.buffer->begin_access(AccessMode::write).error().value(), EIO);
  lit.buffer->unmap();
  EXPECT_EQ(counts(lit, MappingKind::dma_buf).mapped_bytes, 0U) << "nothing is in access";
  lit.set_pixel(1, 1, 0x111111);
  EXPECT_EQ(lit.shown(1, 1), 0x111111U);
}

TEST(HeadlessMapping, TheEndTellsThatItsBracketFailed) {
  LitCard lit(with(MappingChoice::dma_buf));
  auto access = lit.buffer->begin_access(AccessMode::write);
  ASSERT_TRUE(access.has_value());
  lit.card.fail_syncs({EINTR, EIO});
  EXPECT_EQ(access->end().error().value(), EIO);
}

TEST(HeadlessMapping, AnIncoherentDmaBufShowsThatBracketsAreThere) {
  HeadlessOptions options = with(MappingChoice::dma_buf);
  options.incoherent_dma_bufs = true;
  LitCard lit(options);
  auto access = std::move(*lit.buffer->begin_access(AccessMode::write));
  access.row(2)[4] = std::byte{0x77};
  EXPECT_EQ(lit.shown(1, 2), 0U) << "the access has not ended";
  ASSERT_TRUE(access.end().has_value());
  EXPECT_EQ(lit.shown(1, 2), 0x77U);
}

// The shadow.

TEST(HeadlessShadow, IsUploadedByThePresentAndByNothingElse) {
  LitCard lit(with(MappingChoice::shadow));
  lit.set_pixel(1, 1, 0x111111);
  lit.set_pixel(5, 5, 0x555555);
  EXPECT_EQ(lit.shown(1, 1), 0U);
  EXPECT_EQ(pixel_of(*lit.buffer, 1, 1), 0x111111U);
  ASSERT_EQ(present(lit, {{1, 1, 2, 2}}), 0);
  EXPECT_EQ(lit.shown(1, 1), 0x111111U);
  EXPECT_EQ(lit.shown(5, 5), 0U) << "it is not in the damage";
  EXPECT_EQ(lit.card.paths(LitCard::output).mapping, "shadow");
}

TEST(HeadlessShadow, KeepsNoMapping) {
  LitCard lit(with(MappingChoice::shadow));
  for (int i = 0; i < 3; ++i) {
    lit.set_pixel(1, 1, 0x111111);
    ASSERT_EQ(present(lit, {{0, 0, 2, 2}, {4, 4, 8, 5}}), 0);
  }
  EXPECT_EQ(counts(lit, MappingKind::shadow),
            (MappingCounts{.hits = 3, .misses = 3, .remaps = 2, .uploaded_bytes = 3 * 8 * 4}));
  EXPECT_EQ(counts(lit, MappingKind::dumb), MappingCounts{});
}

TEST(HeadlessShadow, AModeShowsAllThatIsInIt) {
  LitCard lit(with(MappingChoice::shadow));
  lit.set_pixel(7, 7, 0x777777);
  ASSERT_TRUE(lit.card.set_mode(LitCard::output, lit.mode, *lit.buffer, {}).has_value());
  EXPECT_EQ(lit.shown(7, 7), 0x777777U);
}

TEST(HeadlessShadow, AFlipShowsAllThatWasWrittenWithoutBeingPresented) {
  LitCard lit(with(MappingChoice::shadow));
  auto other = std::move(*lit.card.create_buffer({32, 24}, PixelFormat::xrgb8888));
  LitCard::set_pixel(*other, 7, 7, 0x777777);
  lit.set_pixel(2, 2, 0x222222);
  ASSERT_TRUE(lit.card.present(LitCard::output, *other, {}, {}).has_value());
  EXPECT_EQ(lit.shown(7, 7), 0x777777U);
  ASSERT_EQ(present(lit, {}), 0);
  EXPECT_EQ(lit.shown(2, 2), 0x222222U);
  const auto uploads = counts(lit, MappingKind::shadow).misses;
  ASSERT_TRUE(lit.card.present(LitCard::output, *other, {}, {}).has_value());
  EXPECT_EQ(counts(lit, MappingKind::shadow).misses, uploads) << "nothing was written since";
}

TEST(HeadlessShadow, APanIsAFlip) {
  LitCard lit(with(MappingChoice::shadow));
  lit.set_pixel(20, 20, 0x202020);
  ASSERT_TRUE(lit.card.present(LitCard::output, *lit.buffer, {16, 12}, {}).has_value());
  EXPECT_EQ(lit.shown(4, 8), 0x202020U);
}

TEST(HeadlessShadow, AnUploadThatIsRefusedRefusesThePresentAndTheMode) {
  LitCard lit(with(MappingChoice::shadow));
  lit.set_pixel(1, 1, 0x111111);
  lit.card.refuse_mappings(ENOMEM, ENOSYS);
  EXPECT_EQ(present(lit, {{0, 0, 4, 4}}), ENOMEM);
  EXPECT_EQ(
      lit.card.set_mode(LitCard::output, drmclient::make_mode({20, 20}), *lit.buffer, {}).error().value(),
      ENOMEM);
  EXPECT_EQ(lit.card.capture(LitCard::output)->size, (Size{16, 12}));
  EXPECT_EQ(lit.shown(1, 1), 0U);
  lit.card.refuse_mappings(ENOMEM, 0);
  EXPECT_EQ(present(lit, {{0, 0, 4, 4}}), 0) << "any way will do";
  EXPECT_EQ(lit.shown(1, 1), 0x111111U);
}

TEST(HeadlessShadow, ABracketThatFailsRefusesThePresent) {
  LitCard lit(with(MappingChoice::shadow));
  lit.card.refuse_mappings(ENOSYS, 0);
  lit.set_pixel(1, 1, 0x111111);
  lit.card.fail_syncs({EIO});
  EXPECT_EQ(present(lit, {{0, 0, 4, 4}}), EIO);
  lit.card.fail_syncs({0, EIO});
  EXPECT_EQ(present(lit, {{0, 0, 4, 4}}), EIO);
  EXPECT_EQ(present(lit, {{0, 0, 4, 4}}), 0);
}

TEST(HeadlessShadow, AFailedUploadOfAFlipIsMadeUpFor) {
  LitCard lit(with(MappingChoice::shadow));
  auto other = std::move(*lit.card.create_buffer({32, 24}, PixelFormat::xrgb8888));
  LitCard::set_pixel(*other, 7, 7, 0x777777);
  lit.card.refuse_mappings(ENOMEM, ENOMEM);
  EXPECT_FALSE(lit.card.present(LitCard::output, *other, {}, {}).has_value());
  lit.card.refuse_mappings(0, 0);
  EXPECT_TRUE(lit.card.present(LitCard::output, *other, {}, {}).has_value());
  EXPECT_EQ(lit.shown(7, 7), 0x777777U);
}

TEST(HeadlessShadow, IsTakenByItselfWhereMappingsCannotBeKept) {
  HeadlessOptions options;
  options.mappings_for_uploads_only = true;
  LitCard lit(options);
  lit.set_pixel(1, 1, 0x111111);
  EXPECT_EQ(lit.card.paths(LitCard::output).mapping, "shadow");
  ASSERT_EQ(present(lit, {{0, 0, 4, 4}}), 0);
  EXPECT_EQ(lit.shown(1, 1), 0x111111U);
}

TEST(HeadlessShadow, AReadAccessLeavesNothingToUpload) {
  LitCard lit(with(MappingChoice::shadow));
  lit.set_pixel(1, 1, 0x111111);
  ASSERT_TRUE(lit.card.set_mode(LitCard::output, lit.mode, *lit.buffer, {}).has_value());
  const auto uploads = counts(lit, MappingKind::shadow).misses;
  EXPECT_EQ(pixel_of(*lit.buffer, 1, 1), 0x111111U);
  ASSERT_TRUE(lit.card.present(LitCard::output, *lit.buffer, {1, 1}, {}).has_value());
  EXPECT_EQ(counts(lit, MappingKind::shadow).misses, uploads);
}

TEST(HeadlessMapping, ABufferOfAnotherKindIsRefused) {
  LitCard lit;
  class Foreign final : public ScanoutBuffer {
   public:
    Foreign() : ScanoutBuffer({32, 24}, PixelFormat::xrgb8888, 128) {}
    void unmap() override {}

   private:
    base::Result<std::byte*> begin_mapping(AccessMode) override { return base::failure(EIO); }
    base::Result<void> end_mapping(AccessMode) override { return {}; }
  } foreign;
  EXPECT_EQ(lit.card.present(LitCard::output, foreign, {}, {}).error().value(), EINVAL);
  EXPECT_EQ(lit.card.set_mode(LitCard::output, lit.mode, foreign, {}).error().value(), EINVAL);
}
