#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <string>

#include "tests/support/eventually.h"
#include "tests/support/presenter_fixture.h"

using base::UniqueFd;
using drmclient::MappingChoice;
using drmclient::MappingKind;
using drmclient::MemoryPressure;
using unit::eventually;

namespace {

struct Way {
  const char* name;
  MappingChoice choice;
  bool for_uploads_only;
};

/// A program on each way to the card's memory, with all that may go wrong there.
class PresenterMapping : public unit::PresenterFixture, public testing::WithParamInterface<Way> {
 protected:
  ~PresenterMapping() override { stop(); }
  void begin() {
    mappings.mapping = GetParam().choice;
    mappings.mappings_for_uploads_only = GetParam().for_uploads_only;
    mappings.incoherent_dma_bufs = true;
    mappings.mapping_limit_bytes = uint64_t{64} * 4 * 64;  // one buffer
    start();
    presenter->set_writers(1);
  }
};

/// Something that polls as a pressure trigger does: a socket with urgent data.
class PresenterPressure : public unit::PresenterFixture {
 protected:
  ~PresenterPressure() override { stop(); }
  void begin() {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    system = UniqueFd(ends[0]);
    descriptor = ends[1];
    pressure.emplace(UniqueFd(ends[1]));
    options.pressure = &*pressure;
    start(Vblanks::at_once);
  }
  void press() const { ASSERT_EQ(::send(system.get(), "!", 1, MSG_OOB), 1); }
  void relieve() const {
    char byte = 0;
    ASSERT_EQ(::recv(descriptor, &byte, 1, MSG_OOB), 1);
  }

  UniqueFd system;
  int descriptor = -1;
  std::optional<MemoryPressure> pressure;
};

}  // namespace

TEST_P(PresenterMapping, ShowsWhatProgramDraws) {
  begin();
  draw_everything(3);
  tick();
  EXPECT_EQ(screen(), program_picture());
  write(1, 1, 0x111111);
  draw(20, 30, 0x222222);
  tick();
  EXPECT_EQ(screen(), program_picture());
}

TEST_P(PresenterMapping, ShowsPansAndFlipsWhole) {
  begin();
  draw_everything(4);
  for (const drmclient::Point offset : {drmclient::Point{10, 0}, {0, 90}, {32, 96}, {3, 7}}) {
    fbemu::FramebufferState panned = fb_state;
    panned.offset = offset;
    ASSERT_EQ(show(panned), 0);
    EXPECT_EQ(screen(), program_picture(panned)) << offset.x << ',' << offset.y;
    draw(40, 100, 0x400000 + offset.x);
    tick();
    EXPECT_EQ(screen(), program_picture(panned));
  }
}

TEST_P(PresenterMapping, ShowsAnotherMode) {
  begin();
  draw_everything(5);
  tick();
  fbemu::FramebufferState other = fb_state;
  other.mode = drmclient::make_mode({32, 24});
  other.size = {32, 24};
  ASSERT_EQ(show(other), 0);
  EXPECT_EQ(screen(), program_picture(other));
}

TEST_P(PresenterMapping, NothingIsLostWhilePresentsAreRefused) {
  begin();
  tick();
  card->refuse_presents = EBUSY;
  write(1, 1, 0x111111);
  tick();
  draw(20, 30, 0x222222);
  tick();
  card->refuse_presents = 0;
  tick();
  EXPECT_EQ(screen(), program_picture());
}

INSTANTIATE_TEST_SUITE_P(Ways, PresenterMapping,
                         testing::Values(Way{"Automatic", MappingChoice::automatic, false},
                                         Way{"Dumb", MappingChoice::dumb, false},
                                         Way{"DmaBuf", MappingChoice::dma_buf, false},
                                         Way{"BackingStore", MappingChoice::shadow, false},
                                         Way{"ForUploadsOnly", MappingChoice::automatic, true}),
                         [](const auto& way) { return std::string(way.param.name); });

TEST_F(PresenterPressure, ReleasesMappingsOfCard) {
  begin();
  EXPECT_EQ(card->mapping_releases, 0U);
  press();
  EXPECT_TRUE(eventually([&] { return card->mapping_releases > 0; }));
  relieve();
  EXPECT_TRUE(eventually([&] {
    const drmclient::MappingCounts dumb = presenter->status().mappings.of(MappingKind::dumb);
    return dumb.released_for_pressure == 1 && dumb.mapped_bytes == 0;
  })) << "what became of it is told without a vblank";
}

TEST_F(PresenterPressure, DrawingGoesOn) {
  begin();
  press();
  EXPECT_TRUE(eventually([&] { return card->mapping_releases > 0; }));
  relieve();
  presenter->set_writers(1);
  write(3, 5, 0x123456);
  EXPECT_TRUE(eventually([&] { return shown(3, 5) == 0x123456; }));
  EXPECT_EQ(presenter->status().mappings.of(MappingKind::dumb).remaps, 1U);
}

TEST_F(PresenterPressure, FailedTriggerIsClosed) {
  begin();
  system.reset();
  flush();
  stop();
  EXPECT_EQ(pressure->descriptor(), -1);
  EXPECT_EQ(card->mapping_releases, 0U);
}
