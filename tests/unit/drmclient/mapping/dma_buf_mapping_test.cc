#include <gtest/gtest.h>
#include <linux/dma-buf.h>

#include <deque>
#include <vector>

#include "drmclient/mapping/buffer_mapping.h"

using drmclient::AccessMode;

namespace {

/// A dma-buf mapping that records its calls and returns scripted results.
class ScriptedDmaBuf final : public drmclient::DmaBufMapping {
 public:
  [[nodiscard]] std::byte* data() const override { return nullptr; }
  std::deque<int> answers;
  std::vector<uint64_t> calls;

 private:
  base::Result<void> sync(uint64_t flags) override {
    calls.push_back(flags);
    if (answers.empty()) return {};
    const int answer = answers.front();
    answers.pop_front();
    if (answer != 0) return base::failure(answer);
    return {};
  }
};

}  // namespace

TEST(DmaBufMapping, SyncFlagsMatchAccessMode) {
  ScriptedDmaBuf mapping;
  for (const AccessMode mode : {AccessMode::read, AccessMode::write, AccessMode::read_write}) {
    ASSERT_TRUE(mapping.begin(mode).has_value());
    ASSERT_TRUE(mapping.end(mode).has_value());
  }
  EXPECT_EQ(mapping.calls, (std::vector<uint64_t>{
                               DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ,
                               DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE,
                               DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW}));
}

TEST(DmaBufMapping, InterruptedSyncIsRepeated) {
  ScriptedDmaBuf mapping;
  mapping.answers = {EINTR, EAGAIN, EAGAIN, EINTR};
  EXPECT_TRUE(mapping.begin(AccessMode::read).has_value());
  EXPECT_EQ(mapping.calls, std::vector<uint64_t>(5, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
  mapping.answers = {EAGAIN};
  EXPECT_TRUE(mapping.end(AccessMode::read).has_value());
  EXPECT_EQ(mapping.calls.size(), 7U);
}

TEST(DmaBufMapping, FailedSyncGivesItsErrno) {
  ScriptedDmaBuf mapping;
  mapping.answers = {EAGAIN, EIO, ENODEV};
  EXPECT_EQ(mapping.begin(AccessMode::write).error().value(), EIO);
  EXPECT_EQ(mapping.end(AccessMode::write).error().value(), ENODEV);
  EXPECT_EQ(mapping.calls.size(), 3U);
}

TEST(DmaBufMapping, ExporterWithoutSyncSucceeds) {
  ScriptedDmaBuf mapping;
  mapping.answers = {ENOTTY};
  EXPECT_TRUE(mapping.begin(AccessMode::write).has_value());
  EXPECT_EQ(mapping.calls.size(), 1U);
}
