#include "drmclient/kms/fbcon_wait.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <filesystem>
#include <fstream>

#include "drmclient/kms/kms_card.h"
#include "tests/support/fake_drm.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"

using drmclient::FbconWait;
using std::chrono::milliseconds;

namespace {

/// A folder like /sys/class/vtconsole, in which fbcon is attached.
class Consoles {
 public:
  Consoles() {
    std::filesystem::create_directory(folder_.file("vtcon1"));
    std::ofstream(folder_.file("vtcon1/name")) << "(M) frame buffer device\n";
    attach_fbcon(true);
  }
  void attach_fbcon(bool attached) const {
    std::ofstream(folder_.file("vtcon1/bind")) << (attached ? "1\n" : "0\n");
  }
  [[nodiscard]] const std::string& path() const { return folder_.path(); }

 private:
  unit::TemporaryFolder folder_;
};

/// The node of a card whose driver is unbound and bound.
class FbconWaitOfCard : public testing::Test {
 protected:
  FbconWaitOfCard() { std::ofstream{node()}; }

  [[nodiscard]] std::string node() const { return folder.file("card0"); }
  void remove_node() const { std::filesystem::remove(node()); }
  /// Replaces the node by another one with another inode.
  void replace_node() const {
    std::ofstream{folder.file("new")};
    std::filesystem::rename(folder.file("new"), node());
  }

  Consoles consoles;
  unit::TemporaryFolder folder;
  unit::ManualClock clock;
  FbconWait wait{node(), consoles.path(), clock};
};

}  // namespace

TEST_F(FbconWaitOfCard, AttachedFbconIsNotAwaited) {
  EXPECT_FALSE(wait.defer_open());
  EXPECT_FALSE(wait.is_waiting());
}

TEST_F(FbconWaitOfCard, FbconThatWasNeverAttachedIsNotAwaited) {
  consoles.attach_fbcon(false);
  FbconWait without{node(), consoles.path(), clock};
  EXPECT_FALSE(without.defer_open());
  EXPECT_FALSE(without.is_waiting());
}

TEST_F(FbconWaitOfCard, NodeWithoutFbconIsDeferredUntilFbconAttaches) {
  consoles.attach_fbcon(false);
  EXPECT_TRUE(wait.defer_open());
  EXPECT_TRUE(wait.is_waiting());
  consoles.attach_fbcon(true);
  EXPECT_FALSE(wait.defer_open());
  EXPECT_FALSE(wait.is_waiting());
}

TEST_F(FbconWaitOfCard, FbconThatStaysAwayIsAwaitedOneSecond) {
  consoles.attach_fbcon(false);
  EXPECT_TRUE(wait.defer_open());
  clock.advance(milliseconds(999));
  EXPECT_TRUE(wait.defer_open());
  clock.advance(milliseconds(1));
  EXPECT_FALSE(wait.defer_open());
  EXPECT_FALSE(wait.is_waiting());
  clock.advance(milliseconds(1));
  EXPECT_FALSE(wait.defer_open()) << "the wait for a node does not begin again";
}

TEST_F(FbconWaitOfCard, WaitStartsAgainWhenNewNodeReplacesOldNode) {
  consoles.attach_fbcon(false);
  EXPECT_TRUE(wait.defer_open());
  clock.advance(milliseconds(700));
  replace_node();
  EXPECT_TRUE(wait.defer_open());
  clock.advance(milliseconds(700));
  EXPECT_TRUE(wait.defer_open()) << "1.4 s after the old node, 0.7 s after the new one";
  clock.advance(milliseconds(300));
  EXPECT_FALSE(wait.defer_open());
}

TEST_F(FbconWaitOfCard, NewNodeIsDeferredAfterSlowUnbind) {
  consoles.attach_fbcon(false);
  EXPECT_TRUE(wait.defer_open());
  clock.advance(milliseconds(1500));
  EXPECT_FALSE(wait.defer_open());
  remove_node();
  EXPECT_TRUE(wait.defer_open());
  replace_node();
  EXPECT_TRUE(wait.defer_open());
  EXPECT_TRUE(wait.is_waiting());
}

TEST_F(FbconWaitOfCard, MissingNodeIsDeferred) {
  consoles.attach_fbcon(false);
  remove_node();
  EXPECT_TRUE(wait.defer_open());
  EXPECT_FALSE(wait.is_waiting()) << "udev reports the new node";
  clock.advance(milliseconds(1500));
  EXPECT_TRUE(wait.defer_open());
}

TEST(FbconWaitOfKmsCard, ReboundCardIsProbedAgainWhenFbconIsAttached) {
  const unit::FakeDrm drm;
  const unit::ManualClock clock;
  const Consoles consoles;
  drmclient::KmsOptions options;
  options.path = drm.path();
  drmclient::KmsCard card(options, clock, consoles.path());
  EXPECT_TRUE(card.has_console());
  consoles.attach_fbcon(false);
  EXPECT_FALSE(card.has_console());
  EXPECT_EQ(card.probe().error().value(), ENODEV);
  consoles.attach_fbcon(true);
  pollfd event{card.event_descriptor(), POLLIN, 0};
  ASSERT_EQ(::poll(&event, 1, 30'000), 1) << "no event, so the card would stay dark";
  EXPECT_EQ(card.read_events().value().size(), 1U);
  EXPECT_TRUE(card.probe().has_value());
}
