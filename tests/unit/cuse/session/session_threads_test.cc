#include "cuse/session/session_threads.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "cuse/session/request.h"
#include "tests/support/libfuse_seam.h"
#include "tests/support/served_session.h"
#include "tests/support/thread_doubles.h"
#include "tests/support/thrown.h"

namespace {

using cuse::Request;
using cuse::SessionEnd;
using cuse::SessionThreads;
using unit::eventually;
using unit::work;
using Cause = SessionEnd::Cause;

class SessionThreadsTest : public testing::Test, protected unit::ServedSession {
 protected:
  void SetUp() override {
    fuse_lowlevel_ops operations{};
    operations.statfs = cuse::guarded<&SessionThreadsTest::statfs>;
    operations.readlink = cuse::guarded<&SessionThreadsTest::readlink>;
    make_session(operations, this);
  }
  ~SessionThreadsTest() override {
    gate.open();
    end();
  }

  void expect_service() { EXPECT_EQ(kernel.ask(FUSE_STATFS).error, 0); }
  /// Sends a request that blocks its thread until the gate is opened.
  uint64_t block_thread() {
    const int before = gate.waiting();
    const uint64_t unique = kernel.send(FUSE_READLINK);
    EXPECT_TRUE(eventually([&] { return gate.waiting() > before; }));
    return unique;
  }
  /// Returns the descriptors of one kind, as "anon_inode:[eventpoll]".
  static std::vector<int> descriptors_of(const std::string& kind) {
    std::vector<int> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code error;
      if (std::filesystem::read_symlink(entry, error) == kind)
        found.push_back(std::stoi(entry.path().filename()));
    }
    return found;
  }

  unit::LibfuseSeam seam;
  unit::Gate gate;
  std::atomic<int> handled{0};
  std::function<void(Request&)> handler;  ///< handles STATFS in place of an answer
  unit::LimitedSpawner limit;
  SessionThreads threads{"session", limit.spawner()};

 private:
  static SessionThreadsTest& test_of(const Request& request) {
    return *static_cast<SessionThreadsTest*>(::fuse_req_userdata(request.get()));
  }
  static void statfs(Request& request, fuse_ino_t) {
    SessionThreadsTest& test = test_of(request);
    ++test.handled;
    if (test.handler) {
      test.handler(request);
      return;
    }
    const struct statvfs status {};
    ::fuse_reply_statfs(request.take(), &status);
  }
  static void readlink(Request& request, fuse_ino_t) {
    test_of(request).gate.pass();
    ::fuse_reply_readlink(request.take(), "end");
  }
};

/// A SessionThreadsTest without a limit of threads.
class UnlimitedSessionThreadsTest : public SessionThreadsTest {
 protected:
  UnlimitedSessionThreadsTest() { limit.left = 1000; }
};

TEST_F(UnlimitedSessionThreadsTest, RequestsAreAnswered) {
  serve(threads);
  for (int i = 0; i < 100; ++i) expect_service();
  EXPECT_EQ(handled, 100);
}

TEST_F(UnlimitedSessionThreadsTest, BlockedRequestsDoNotDelayOthers) {
  serve(threads);
  for (int i = 0; i < 20; ++i) static_cast<void>(block_thread());
  expect_service();
  gate.open();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(kernel.next_answer().value().text(), "end");
}

TEST_F(UnlimitedSessionThreadsTest, ThreadsGrowUpToMaximum) {
  serve(threads);
  constexpr int many = SessionThreads::most_workers + 1;
  for (int i = 0; i < many; ++i) static_cast<void>(block_thread());
  EXPECT_EQ(threads.size(), SessionThreads::most_workers);
  const uint64_t waiting = kernel.send(FUSE_STATFS);
  gate.open();
  bool answered = false;
  for (int i = 0; i < many + 1; ++i) answered = kernel.next_answer().value().unique == waiting || answered;
  EXPECT_TRUE(answered);
}

TEST_F(UnlimitedSessionThreadsTest, WorkPostedByManyThreadsIsEachDoneOnce) {
  serve(threads);
  std::array<std::atomic<int>, 1000> done{};
  std::vector<std::thread> posters;
  for (size_t i = 0; i < 4; ++i) {
    posters.emplace_back([&, i] {
      for (size_t k = i; k < done.size(); k += 4) threads.post(work([&done, k] { ++done[k]; }));
    });
  }
  for (int i = 0; i < 100; ++i) expect_service();
  for (std::thread& poster : posters) poster.join();
  end();
  EXPECT_TRUE(std::ranges::all_of(done, [](const auto& times) { return times == 1; }));
}

TEST_F(UnlimitedSessionThreadsTest, StopBeforeRunLetsPostedWorkFinish) {
  threads.prepare(session());
  bool done = false;
  threads.post(work([&] { done = true; }));
  threads.stop();
  run(threads);
  EXPECT_EQ(wait_for_end().cause, Cause::stopped);
  EXPECT_TRUE(done);
}

TEST_F(UnlimitedSessionThreadsTest, StopWaitsForBlockedRequest) {
  serve(threads);
  const uint64_t unique = block_thread();
  threads.stop();
  gate.open();
  EXPECT_EQ(wait_for_end().cause, Cause::stopped);
  EXPECT_EQ(kernel.answer_to(unique).text(), "end");
}

TEST_F(UnlimitedSessionThreadsTest, WorkPostedAfterEndIsDropped) {
  std::shared_ptr<cuse::Mailbox> mailbox;
  std::weak_ptr<cuse::Work> watched;
  {
    SessionThreads short_lived("short");
    mailbox = short_lived.mailbox();
    auto queued = work([] { ADD_FAILURE() << "done without a thread"; });
    watched = queued;
    short_lived.post(std::move(queued));
  }
  EXPECT_TRUE(watched.expired());
  mailbox->post(work([] { ADD_FAILURE() << "done after the end"; }));
}

TEST_F(UnlimitedSessionThreadsTest, ChannelFailureEndsSessionWithItsError) {
  serve(threads);
  for (int i = 0; i < 3; ++i) static_cast<void>(block_thread());
  kernel.close();
  gate.open();
  const SessionEnd end = wait_for_end();
  EXPECT_EQ(end.cause, Cause::failed);
  EXPECT_EQ(end.error.value(), EIO);
  EXPECT_NE(describe(end, "/dev/fb7").find("/dev/fb7 failed: Input/output error"), std::string::npos);
}

TEST_F(UnlimitedSessionThreadsTest, ConnectionClosedByKernelEndsSession) {
  seam.before_receive = [] { return 0; };
  threads.prepare(session());
  run(threads);
  const SessionEnd end = wait_for_end();
  EXPECT_EQ(end.cause, Cause::closed);
  EXPECT_NE(describe(end, "/dev/fb7").find("the mount on /dev/fb7 was detached"), std::string::npos);
}

TEST_F(UnlimitedSessionThreadsTest, AllocationFailureOfAllThreadsEndsSessionAsOutOfMemory) {
  seam.before_receive = [] { return -ENOMEM; };
  threads.prepare(session());
  run(threads);
  const SessionEnd end = wait_for_end();
  EXPECT_EQ(end.cause, Cause::out_of_memory);
  EXPECT_NE(describe(end, "/dev/fb7").find("out of memory"), std::string::npos);
  EXPECT_EQ(describe(end, "/dev/fb7").find("detached"), std::string::npos);
}

/// An UnlimitedSessionThreadsTest in which only the first thread has memory for requests while
/// `short_of_memory` is set.
class ShortOfMemoryTest : public UnlimitedSessionThreadsTest {
 protected:
  struct State {
    std::atomic<bool> short_of_memory{true};
    std::atomic<int> failures{0};
    std::atomic<std::thread::id> first{};
    std::atomic<bool> meeting{false};  ///< two threads fail at the same time
    std::atomic<int> arrived{0};
  };

  void SetUp() override {
    UnlimitedSessionThreadsTest::SetUp();
    // Shared ownership, because the threads end after the test.
    seam.before_receive = [state = state]() -> std::optional<int> {
      std::thread::id none;
      state->first.compare_exchange_strong(none, std::this_thread::get_id());
      if (state->first.load() == std::this_thread::get_id() || !state->short_of_memory) return std::nullopt;
      ++state->failures;
      if (state->meeting) {
        ++state->arrived;
        while (state->meeting && state->arrived < 2) std::this_thread::yield();
      }
      return -ENOMEM;
    };
    serve(threads);
  }

  std::shared_ptr<State> state = std::make_shared<State>();
};

TEST_F(ShortOfMemoryTest, UnneededThreadWithoutMemoryEnds) {
  constexpr int requests = 50;
  const int left_before = limit.left;
  for (int i = 0; i < requests; ++i) {
    expect_service();
    EXPECT_TRUE(eventually([&] { return threads.size() == 0; }));
  }
  EXPECT_GT(state->failures, 0);
  // A request starts at most one thread, and a thread that fails starts no other.
  EXPECT_LE(left_before - limit.left, requests);
  state->short_of_memory = false;
  for (int i = 0; i < 2; ++i) static_cast<void>(block_thread());
  expect_service();
}

TEST_F(ShortOfMemoryTest, LastFreeThreadWaitsForMemory) {
  static_cast<void>(block_thread());
  EXPECT_TRUE(eventually([&] { return state->failures > 1; }));
  std::atomic<bool> done{false};
  threads.post(work([&] { done = true; }));
  EXPECT_TRUE(eventually([&] { return done.load(); }));
  state->short_of_memory = false;
  expect_service();
}

TEST_F(ShortOfMemoryTest, OneOfTwoThreadsThatFailAtOnceStays) {
  static_cast<void>(block_thread());
  for (int round = 0; round < 20; ++round) {
    // One thread works and has another started; then both are free and fail at the same time.
    std::atomic<bool> working{false};
    std::atomic<bool> may_end{false};
    const int failures = state->failures;
    threads.post(work([&] {
      working = true;
      static_cast<void>(eventually([&] { return may_end.load(); }));
    }));
    ASSERT_TRUE(eventually([&] { return working && state->failures > failures; })) << "round " << round;
    state->arrived = 0;
    state->meeting = true;
    may_end = true;
    ASSERT_TRUE(eventually([&] { return state->arrived >= 2; }));
    state->meeting = false;
    std::atomic<bool> done{false};
    threads.post(work([&] { done = true; }));
    ASSERT_TRUE(eventually([&] { return done.load(); })) << "round " << round;
    ASSERT_TRUE(eventually([&] { return threads.size() == 1; })) << "round " << round;
  }
  state->short_of_memory = false;
  expect_service();
}

TEST_F(SessionThreadsTest, FailedStartOfFurtherThreadLeavesRequestsToFirst) {
  serve(threads);
  for (int i = 0; i < 100; ++i) expect_service();
  EXPECT_GT(limit.refused, 0);
  EXPECT_EQ(threads.size(), 0U);
  std::atomic<bool> done{false};
  threads.post(work([&] { done = true; }));
  EXPECT_TRUE(eventually([&] { return done.load(); }));
}

TEST_F(SessionThreadsTest, ThreadsGrowAfterLimitIsRaised) {
  serve(threads);
  expect_service();
  limit.left = 10;
  for (int i = 0; i < 5; ++i) static_cast<void>(block_thread());
  expect_service();
}

TEST_F(SessionThreadsTest, ExceptionInWorkEndsNoThread) {
  serve(threads);
  std::atomic<bool> done{false};
  threads.post(work([] { throw std::runtime_error("no luck"); }));
  threads.post(work([] { throw std::bad_alloc(); }));
  threads.post(work([&] { done = true; }));
  EXPECT_TRUE(eventually([&] { return done.load(); }));
  expect_service();
}

TEST_F(SessionThreadsTest, BadAllocInHandlerReturnsEnomem) {
  handler = [](Request&) { throw std::bad_alloc(); };
  serve(threads);
  EXPECT_EQ(kernel.ask(FUSE_STATFS).error, -ENOMEM);
}

TEST_F(SessionThreadsTest, OtherExceptionInHandlerReturnsEio) {
  handler = [](Request&) { throw std::runtime_error("no luck"); };
  serve(threads);
  EXPECT_EQ(kernel.ask(FUSE_STATFS).error, -EIO);
}

TEST_F(SessionThreadsTest, ExceptionAfterAnswerKeepsAnswer) {
  std::atomic<bool> answers_before{true};
  handler = [&](Request& request) {
    if (answers_before) ::fuse_reply_err(request.take(), ENOTTY);
    throw std::bad_alloc();
  };
  serve(threads);
  EXPECT_EQ(kernel.ask(FUSE_STATFS).error, -ENOTTY);
  answers_before = false;
  EXPECT_EQ(kernel.ask(FUSE_STATFS).error, -ENOMEM);
}

/// A limit of open files that prevents any further open, to the end of the scope.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 3;
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_F(UnlimitedSessionThreadsTest, NoDescriptorForFirstThreadNamesLimit) {
  const NoDescriptors none;
  const unit::Thrown thrown = unit::thrown_by([&] { threads.prepare(session()); });
  EXPECT_EQ(thrown.code, EMFILE);
  EXPECT_TRUE(thrown.says("session") && thrown.says("LimitNOFILE=")) << thrown.what;
}

TEST_F(UnlimitedSessionThreadsTest, NoDescriptorForFurtherThreadLeavesRequestsToFirst) {
  threads.prepare(session());
  {
    const NoDescriptors none;
    run(threads);
    EXPECT_EQ(kernel.ask(FUSE_INIT, unit::KernelDouble::init_request()).error, 0);
    for (int i = 0; i < 100; ++i) expect_service();
    EXPECT_EQ(threads.size(), 0U);
  }
  for (int i = 0; i < 5; ++i) static_cast<void>(block_thread());
  expect_service();
}

TEST_F(SessionThreadsTest, EpollFailureEndsSessionWithItsError) {
  const std::vector<int> before = descriptors_of("anon_inode:[eventpoll]");
  threads.prepare(session());
  std::vector<int> after = descriptors_of("anon_inode:[eventpoll]");
  std::erase_if(after, [&](int descriptor) { return std::ranges::find(before, descriptor) != before.end(); });
  ASSERT_EQ(after.size(), 1U);
  run(threads);
  EXPECT_EQ(kernel.ask(FUSE_INIT, unit::KernelDouble::init_request()).error, 0);
  const base::UniqueFd no_epoll(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::dup3(no_epoll.get(), after.front(), O_CLOEXEC), after.front());
  threads.post(work([] {}));
  const SessionEnd end = wait_for_end();
  EXPECT_EQ(end.cause, Cause::failed);
  EXPECT_EQ(end.error.value(), EINVAL);
}

}  // namespace
