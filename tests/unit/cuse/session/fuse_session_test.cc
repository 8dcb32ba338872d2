// The FUSE server on a channel with the test as its kernel: without a mount and without root.

#include <fcntl.h>

#include <cstdlib>
#include <future>
#include <optional>
#include <vector>

#include "cuse/service/log.h"
#include "cuse/session/fuse_server.h"
#include "tests/support/failing_memory.h"
#include "tests/support/framebuffer_fixture.h"
#include "tests/support/kernel_double.h"
#include "tests/support/libfuse_seam.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thread_doubles.h"
#include "tests/support/thrown.h"

namespace {

using cuse::FuseServer;
using cuse::SessionEnd;
using unit::eventually;
using unit::KernelDouble;

class FuseSessionTest : public unit::FramebufferFixture {
 protected:
  ~FuseSessionTest() override {
    stop();
    EXPECT_TRUE(ioctl_workers.stop(unit::timeout));
    EXPECT_TRUE(!server || server->stop(unit::timeout));
  }

  void start_server(std::chrono::milliseconds stop_timeout = unit::timeout) {
    unit::FramebufferFixture::start();
    server.emplace(*framebuffer, cuse::ServedFile{folder.file("fb"), {0, 0, 0660}}, ioctl_workers,
                   FuseServer::Environment{
                       [this] { return KernelDouble::connect_to(folder.file("channel")); }, stop_timeout});
    ASSERT_EQ(unit::thrown_by([this] { server->start(); }).what, "");
    kernel.accept();
  }
  void initialize() { EXPECT_EQ(kernel.ask(FUSE_INIT, KernelDouble::init_request()).error, 0); }
  KernelDouble::Answer open_file() {
    fuse_open_in request{};
    request.flags = O_RDWR;
    return kernel.ask(FUSE_OPEN, request);
  }
  KernelDouble::Answer write(const std::string& text) {
    fuse_write_in request{};
    request.size = static_cast<uint32_t>(text.size());
    return kernel.ask(FUSE_WRITE, request, text);
  }
  KernelDouble::Answer read(uint32_t size) {
    fuse_read_in request{};
    request.size = size;
    return kernel.ask(FUSE_READ, request);
  }
  KernelDouble::Answer flush() { return kernel.ask(FUSE_FLUSH, fuse_flush_in{}); }
  [[nodiscard]] bool has_ended() const {
    pollfd event{server->ended_descriptor(), POLLIN, 0};
    return ::poll(&event, 1, static_cast<int>(std::chrono::milliseconds(unit::timeout).count())) == 1;
  }

  unit::LibfuseSeam seam;
  unit::TemporaryFolder folder;
  KernelDouble kernel{folder.file("channel")};
  cuse::IoctlWorkers ioctl_workers;
  std::optional<FuseServer> server;
};

TEST_F(FuseSessionTest, OperationsReachFramebuffer) {
  start_server();
  initialize();
  EXPECT_EQ(kernel.ask(FUSE_GETATTR, fuse_getattr_in{}).as<fuse_attr_out>().attr.size,
            framebuffer->memory_bytes());
  EXPECT_EQ(open_file().error, 0);
  EXPECT_EQ(framebuffer->status().open_writers, 1U);
  EXPECT_EQ(write("pixels").as<fuse_write_out>().size, 6U);
  EXPECT_EQ(read(6).text(), "pixels");
  EXPECT_EQ(flush().error, 0);
  EXPECT_EQ(kernel.ask(FUSE_STATFS).error, 0);
}

TEST_F(FuseSessionTest, FlushAfterWriteIsAnswered) {
  start_server();
  initialize();
  EXPECT_EQ(open_file().error, 0);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(write("pixels").error, 0);
    EXPECT_EQ(flush().error, 0);
  }
}

class ClearingSessionTest : public FuseSessionTest {
 protected:
  ~ClearingSessionTest() override {
    gate.open();
    stop();
  }
  /// Starts with memory that a program wrote to, and closes its file; the presenter waits before the clear.
  void start_and_hold_clear() {
    options.clear_on_close = true;
    start_server();
    initialize();
    pages->before_clear = [this] { gate.pass(); };
    const auto opened = open_file();
    EXPECT_EQ(opened.error, 0);
    EXPECT_EQ(write("pixels").error, 0);
    fuse_release_in release{};
    release.fh = opened.as<fuse_open_out>().fh;
    EXPECT_EQ(kernel.ask(FUSE_RELEASE, release).error, 0);
    EXPECT_TRUE(eventually([this] { return gate.waiting() > 0; }));
  }
  [[nodiscard]] uint64_t send_open() {
    fuse_open_in request{};
    request.flags = O_RDWR;
    return kernel.send(FUSE_OPEN, request);
  }

  unit::Gate gate;
};

TEST_F(ClearingSessionTest, OpenIsAnsweredAfterTheClear) {
  start_and_hold_clear();
  const uint64_t open = send_open();
  // The session serves others meanwhile: the clearing causes requests itself.
  EXPECT_EQ(kernel.ask(FUSE_STATFS).error, 0);
  EXPECT_EQ(framebuffer->status().open_files, 0U);
  gate.open();
  EXPECT_EQ(kernel.answer_to(open).error, 0);
  EXPECT_EQ(framebuffer->status().open_writers, 1U);
  EXPECT_EQ(read(6).text(), std::string(6, '\0'));
}

TEST_F(ClearingSessionTest, OpenAfterFailedClearReturnsItsErrnoAndTheNextOneTriesAgain) {
  start_and_hold_clear();
  pages->clear_error = ENOMEM;
  const uint64_t open = send_open();
  gate.open();
  EXPECT_EQ(kernel.answer_to(open).error, -ENOMEM);
  pages->clear_error = 0;
  EXPECT_EQ(open_file().error, 0);
  EXPECT_EQ(read(6).text(), std::string(6, '\0'));
}

TEST_F(ClearingSessionTest, WaitingOpenIsAnsweredAtTheEnd) {
  start_and_hold_clear();
  pages->clear_error = EIO;
  const uint64_t open = send_open();
  EXPECT_EQ(kernel.ask(FUSE_STATFS).error, 0);
  gate.open();
  stop();
  EXPECT_NE(kernel.answer_to(open).error, 0);
}

TEST_F(FuseSessionTest, AllocationFailureInOperationReturnsEnomem) {
  start_server();
  initialize();
  uint32_t size = 16;
  const std::vector<std::function<KernelDouble::Answer()>> operations{
      [&] { return open_file(); },
      [&] { return read(size *= 2); },
      [&] { return write("pixels"); },
      [&] { return flush(); },
      [&] { return kernel.ask(FUSE_GETATTR, fuse_getattr_in{}); },
  };
  for (const auto& operation : operations) {
    bool failed = true;
    for (size_t successes = 0; failed && successes < 100; ++successes) {
      const unit::FailingMemory memory("fuse", successes);
      const int error = operation().error;
      failed = unit::FailingMemory::failed();
      EXPECT_TRUE(error == 0 || error == -ENOMEM) << error << " after " << successes;
    }
    EXPECT_FALSE(failed);
  }
}

TEST_F(FuseSessionTest, LostConnectionIsReportedWithItsError) {
  start_server();
  initialize();
  kernel.close();
  ASSERT_TRUE(has_ended());
  EXPECT_EQ(server->end().cause, SessionEnd::Cause::failed);
  EXPECT_EQ(server->end().error.value(), EIO);
}

TEST_F(FuseSessionTest, AllocationFailureOfAllThreadsIsReportedAsOutOfMemory) {
  seam.before_receive = [] { return -ENOMEM; };
  start_server();
  ASSERT_TRUE(has_ended());
  EXPECT_EQ(server->end().cause, SessionEnd::Cause::out_of_memory);
}

TEST_F(FuseSessionTest, ChannelOpenFailureIsThrownByStart) {
  unit::FramebufferFixture::start();
  server.emplace(*framebuffer, cuse::ServedFile{folder.file("fb"), {0, 0, 0660}}, ioctl_workers,
                 FuseServer::Environment{[]() -> base::UniqueFd { throw std::bad_alloc(); },
                                         std::chrono::milliseconds(unit::timeout)});
  EXPECT_TRUE(unit::thrown_by([this] { server->start(); }).says("bad_alloc"));
}

TEST_F(FuseSessionTest, EndOfTheSessionClosesNoDescriptorOfOtherThreads) {
  // The session has its own table of descriptors, which uses the low numbers again. Here they are all taken.
  constexpr int numbers = 200;
  std::vector<base::UniqueFd> own;
  while (own.empty() || own.back().get() < numbers) {
    own.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  start_server();
  initialize();
  stop();
  ASSERT_TRUE(server->stop(unit::timeout));
  server.reset();
  for (const base::UniqueFd& descriptor : own) {
    EXPECT_GE(::fcntl(descriptor.get(), F_GETFD), 0) << descriptor.get();
  }
}

TEST(FuseSessionDeathTest, ThreadThatDoesNotEndEndsProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  struct Stuck : FuseSessionTest {
    void TestBody() override {}
    unit::Gate gate;
    void end_with_a_thread_that_waits() {
      std::atomic<bool> waits{false};
      seam.before_receive = [&]() -> std::optional<int> {
        if (waits) gate.pass();
        return std::nullopt;
      };
      start_server(std::chrono::milliseconds(1));
      initialize();
      waits = true;
      static_cast<void>(kernel.send(FUSE_STATFS));
      static_cast<void>(eventually([&] { return gate.waiting() > 0; }));
      server.reset();
    }
  };
  EXPECT_EXIT(
      {
        cuse::start_logging(false);
        Stuck stuck;
        stuck.end_with_a_thread_that_waits();
        std::_Exit(EXIT_SUCCESS);
      },
      testing::ExitedWithCode(EXIT_FAILURE), "does not end; ending the process instead");
}

}  // namespace
