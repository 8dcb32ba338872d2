#include "cuse/session/ioctl_workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <stdexcept>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/failing_memory.h"
#include "tests/support/thread_doubles.h"
#include "tests/support/thrown.h"

namespace {

using cuse::IoctlWorkers;
using unit::eventually;
using unit::Gate;
using unit::LimitedSpawner;
using unit::work;

TEST(IoctlWorkers, StopAfterManyPostsWaitsForAllWork) {
  IoctlWorkers threads;
  std::atomic<int> done{0};
  std::vector<std::thread> posters;
  for (int i = 0; i < 4; ++i) {
    posters.emplace_back([&] {
      for (int k = 0; k < 250; ++k) threads.post(work([&] { ++done; }));
    });
  }
  for (std::thread& poster : posters) poster.join();
  EXPECT_TRUE(threads.stop(unit::timeout));
  EXPECT_EQ(done, 1000);
  EXPECT_EQ(threads.size(), 0U);
}

TEST(IoctlWorkers, BlockedWorkDoesNotDelayOtherWork) {
  IoctlWorkers threads;
  Gate gate;
  for (int i = 0; i < 20; ++i) threads.post(work([&] { gate.pass(); }));
  EXPECT_TRUE(eventually([&] { return gate.waiting() == 20; }));
  std::atomic<bool> done{false};
  threads.post(work([&] { done = true; }));
  EXPECT_TRUE(eventually([&] { return done.load(); }));
  gate.open();
  EXPECT_TRUE(threads.stop(unit::timeout));
}

TEST(IoctlWorkers, ThreadsGrowUpToMaximum) {
  IoctlWorkers threads;
  Gate gate;
  std::atomic<size_t> done{0};
  const size_t many = IoctlWorkers::most_workers + 10;
  for (size_t i = 0; i < many; ++i) {
    threads.post(work([&] {
      gate.pass();
      ++done;
    }));
  }
  EXPECT_TRUE(eventually([&] { return gate.waiting() == static_cast<int>(IoctlWorkers::most_workers); }));
  EXPECT_EQ(threads.size(), IoctlWorkers::most_workers);
  gate.open();
  EXPECT_TRUE(threads.stop(unit::timeout));
  EXPECT_EQ(done, many);
}

TEST(IoctlWorkers, StopWithBlockedThreadReturnsFalse) {
  Gate gate;
  IoctlWorkers threads;
  threads.post(work([&] { gate.pass(); }));
  ASSERT_TRUE(eventually([&] { return gate.waiting() == 1; }));
  EXPECT_FALSE(threads.stop(std::chrono::milliseconds(1)));
  gate.open();
  EXPECT_TRUE(threads.stop(unit::timeout));
}

TEST(IoctlWorkers, WorkPostedAfterStopIsDropped) {
  IoctlWorkers threads;
  ASSERT_TRUE(threads.stop(unit::timeout));
  auto dropped = work([] { ADD_FAILURE() << "done after stop()"; });
  const std::weak_ptr<cuse::Work> watched = dropped;
  threads.post(std::move(dropped));
  EXPECT_TRUE(watched.expired());
}

TEST(IoctlWorkers, FailedStartOfFirstThreadNamesPurposeAndLimit) {
  LimitedSpawner limit;
  const std::string what = unit::thrown_by([&] { const IoctlWorkers threads(limit.spawner()); }).what;
  EXPECT_NE(what.find("cannot start the thread for the ioctls of programs"), std::string::npos) << what;
  EXPECT_NE(what.find("TasksMax="), std::string::npos) << what;
}

TEST(IoctlWorkers, FailedStartOfFurtherThreadLeavesWorkToFirst) {
  LimitedSpawner limit;
  limit.left = 1;
  IoctlWorkers threads(limit.spawner());
  std::atomic<int> done{0};
  for (int i = 0; i < 100; ++i) threads.post(work([&] { ++done; }));
  EXPECT_TRUE(eventually([&] { return done == 100; }));
  EXPECT_GT(limit.refused, 0);
  EXPECT_EQ(threads.size(), 1U);
  EXPECT_TRUE(threads.stop(unit::timeout));
}

TEST(IoctlWorkers, ThreadsGrowAfterLimitIsRaised) {
  Gate gate;
  LimitedSpawner limit;
  limit.left = 1;
  IoctlWorkers threads(limit.spawner());
  std::atomic<int> done{0};
  threads.post(work([&] { ++done; }));
  ASSERT_TRUE(eventually([&] { return done == 1 && limit.refused == 1; }));
  limit.left = 10;
  for (int i = 0; i < 5; ++i) threads.post(work([&] { gate.pass(); }));
  EXPECT_TRUE(eventually([&] { return gate.waiting() == 5; }));
  gate.open();
  EXPECT_TRUE(threads.stop(unit::timeout));
}

TEST(IoctlWorkers, AllocationFailureInThreadStartLeavesWorkToFirst) {
  IoctlWorkers threads;
  std::atomic<int> done{0};
  const auto one = work([&] { ++done; });
  {
    const unit::FailingMemory memory("program", 0);
    threads.post(one);
    EXPECT_TRUE(eventually([&] { return done == 1; }));
    EXPECT_TRUE(unit::FailingMemory::failed());
  }
  EXPECT_TRUE(threads.stop(unit::timeout));
}

TEST(IoctlWorkers, ExceptionInWorkEndsNoThread) {
  LimitedSpawner limit;
  limit.left = 1;
  IoctlWorkers threads(limit.spawner());
  std::atomic<bool> done{false};
  threads.post(work([] { throw std::runtime_error("no luck"); }));
  threads.post(work([] { throw std::bad_alloc(); }));
  threads.post(work([] { throw 1; }));
  threads.post(work([&] { done = true; }));
  EXPECT_TRUE(eventually([&] { return done.load(); }));
  EXPECT_EQ(threads.size(), 1U);
  EXPECT_TRUE(threads.stop(unit::timeout));
}

}  // namespace
