#include "cuse/session/work_queue.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "cuse/session/ioctl_workers.h"
#include "cuse/session/worker_threads.h"
#include "tests/support/eventually.h"
#include "tests/support/thread_doubles.h"

namespace {

using cuse::Mailbox;
using cuse::Work;
using unit::work;

/// Work whose destructor calls a function, as a dropped AnswerDuty does.
class WorkWithEnd final : public Work {
 public:
  explicit WorkWithEnd(std::function<void()> at_end) : at_end_(std::move(at_end)) {}
  ~WorkWithEnd() override { at_end_(); }
  WorkWithEnd(const WorkWithEnd&) = delete;
  WorkWithEnd& operator=(const WorkWithEnd&) = delete;
  void run() override {}

 private:
  std::function<void()> at_end_;
};

bool is_awake(const Mailbox& mailbox) {
  pollfd event{mailbox.descriptor(), POLLIN, 0};
  return ::poll(&event, 1, 0) == 1;
}

TEST(WorkQueueTest, WorkIsTakenInTheOrderOfItsPosts) {
  cuse::WorkQueue queue;
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) queue.push(work([&order, i] { order.push_back(i); }));
  while (const auto taken = queue.pop()) taken->run();
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
  EXPECT_TRUE(queue.empty());
}

TEST(WorkQueueTest, LongQueueIsDestroyedWithoutRecursion) {
  cuse::WorkQueue queue;
  for (int i = 0; i < 1'000'000; ++i) queue.push(work([] {}));
}

TEST(MailboxTest, TakeWakesAThreadForTheRestOfTheWork) {
  Mailbox mailbox;
  mailbox.post(work([] {}));
  mailbox.post(work([] {}));
  mailbox.clear_wake();
  EXPECT_NE(mailbox.take(), nullptr);
  EXPECT_TRUE(is_awake(mailbox));
  mailbox.clear_wake();
  EXPECT_NE(mailbox.take(), nullptr);
  EXPECT_FALSE(is_awake(mailbox));
  EXPECT_EQ(mailbox.take(), nullptr);
}

TEST(MailboxTest, WorkDroppedByCloseMayPost) {
  Mailbox mailbox;
  bool ended = false;
  mailbox.post(std::make_shared<WorkWithEnd>([&] {
    mailbox.post(work([] { ADD_FAILURE() << "done after close()"; }));
    ended = true;
  }));
  mailbox.close();
  EXPECT_TRUE(ended);
  EXPECT_EQ(mailbox.take(), nullptr);
}

TEST(MailboxTest, WorkDroppedAfterCloseMayPost) {
  Mailbox mailbox;
  mailbox.close();
  bool ended = false;
  mailbox.post(std::make_shared<WorkWithEnd>([&] {
    mailbox.post(work([] {}));
    ended = true;
  }));
  EXPECT_TRUE(ended);
}

TEST(IoctlWorkersLockTest, WorkDroppedAfterStopMayPost) {
  cuse::IoctlWorkers workers;
  ASSERT_TRUE(workers.stop(unit::timeout));
  bool ended = false;
  workers.post(std::make_shared<WorkWithEnd>([&] {
    workers.post(work([] {}));
    ended = true;
  }));
  EXPECT_TRUE(ended);
}

TEST(IoctlWorkersLockTest, FinishedWorkMayPostAtItsEnd) {
  cuse::IoctlWorkers workers;
  std::atomic<bool> done{false};
  workers.post(std::make_shared<WorkWithEnd>([&] { workers.post(work([&] { done = true; })); }));
  EXPECT_TRUE(unit::eventually([&] { return done.load(); }));
  EXPECT_TRUE(workers.stop(unit::timeout));
}

TEST(WorkerThreadsLockTest, SpawnerAndBodyMayAskForTheSize) {
  cuse::WorkerThreads* asked = nullptr;
  std::atomic<size_t> size{0};
  cuse::WorkerThreads threads("test", 2, [&](std::function<void()> body) {
    size += asked->size();
    return cuse::spawn_thread(std::move(body));
  });
  asked = &threads;
  threads.start_first([&] { size += threads.size() > 0 ? 0 : 1; });
  threads.wait_for_end();
  EXPECT_TRUE(threads.start([&]() -> cuse::WorkerThreads::Body {
    size += threads.size();
    return [] {};
  }));
  threads.wait_for_end();
  EXPECT_EQ(size, 3U);
}

}  // namespace
