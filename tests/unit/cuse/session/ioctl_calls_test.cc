#include "cuse/session/ioctl_calls.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <map>

#include "cuse/service/thread_status.h"
#include "tests/support/child_process.h"
#include "tests/support/failing_memory.h"
#include "tests/support/framebuffer_fixture.h"
#include "tests/support/libfuse_seam.h"
#include "tests/support/served_session.h"
#include "tests/support/thread_doubles.h"

namespace {

using unit::eventually;
using unit::KernelDouble;
using unit::SteppedCard;

/// Ioctls with this process as the program, from the channel to the framebuffer and back.
class IoctlCallsTest : public unit::FramebufferFixture, protected unit::ServedSession {
 protected:
  void serve_framebuffer(SteppedCard::Vblanks vblanks = SteppedCard::Vblanks::at_once) {
    start(vblanks);
    ASSERT_TRUE(framebuffer->open(true));
    ioctl_workers.emplace();
    calls.emplace(*framebuffer, threads, *ioctl_workers);
    data.ioctls = &*calls;
    fuse_lowlevel_ops operations{};
    operations.ioctl = cuse::guarded<&IoctlCallsTest::ioctl>;
    make_session(operations, &data);
    serve(threads);
  }
  ~IoctlCallsTest() override {
    stop();
    EXPECT_TRUE(!ioctl_workers || ioctl_workers->stop(unit::timeout));
    end();
  }

  static fuse_ioctl_in ioctl_request(uint32_t command, const void* argument) {
    fuse_ioctl_in request{};
    request.cmd = command;
    request.arg = reinterpret_cast<uint64_t>(argument);
    return request;
  }
  uint64_t send_ioctl(uint32_t command, const void* argument) {
    return kernel.send(FUSE_IOCTL, ioctl_request(command, argument));
  }
  KernelDouble::Answer ask_ioctl(uint32_t command, const void* argument) {
    return kernel.answer_to(send_ioctl(command, argument));
  }
  /// Sends a wait for the vblank, and returns when the presenter has it.
  uint64_t wait_for_vblank() {
    const uint64_t before = framebuffer->statistics().ioctls;
    const uint64_t unique = send_ioctl(FBIO_WAITFORVSYNC, &crtc);
    EXPECT_TRUE(
        eventually([&] { return framebuffer->statistics().ioctls > before && card->wants_vblank(); }));
    return unique;
  }
  void expect_service() {
    fb_var_screeninfo var{};
    EXPECT_EQ(ask_ioctl(FBIOGET_VSCREENINFO, &var).error, 0);
    EXPECT_EQ(var.xres, 64U);
  }

  unit::LibfuseSeam seam;
  uint32_t crtc = 0;
  unit::LimitedSpawner limit{1000};
  std::optional<cuse::IoctlWorkers> ioctl_workers;
  cuse::SessionThreads threads{"session", limit.spawner()};
  std::optional<cuse::IoctlCalls> calls;
  cuse::SessionData data;

 private:
  static void ioctl(cuse::Request& request, fuse_ino_t, unsigned command, void* argument, fuse_file_info*,
                    unsigned flags, const void*, size_t, size_t) {
    static_cast<cuse::SessionData*>(::fuse_req_userdata(request.get()))
        ->ioctls->handle(request, command, argument, flags);
  }
};

TEST_F(IoctlCallsTest, GetVscreeninfoWritesToProgramMemory) {
  serve_framebuffer();
  for (int i = 0; i < 100; ++i) expect_service();
}

TEST_F(IoctlCallsTest, UnknownCommandReturnsEnotty) {
  serve_framebuffer();
  EXPECT_EQ(ask_ioctl(0x46ff, nullptr).error, -ENOTTY);
}

TEST_F(IoctlCallsTest, BadPointerReturnsEfault) {
  serve_framebuffer();
  EXPECT_EQ(ask_ioctl(FBIOGET_VSCREENINFO, reinterpret_cast<const void*>(8)).error, -EFAULT);
}

TEST_F(IoctlCallsTest, PanIsAnsweredWhenShown) {
  options.virtual_size = {64, 96};
  serve_framebuffer();
  fb_var_screeninfo var{};
  var.yoffset = 48;
  EXPECT_EQ(ask_ioctl(FBIOPAN_DISPLAY, &var).error, 0);
  EXPECT_EQ(framebuffer->status().fb_state.offset.y, 48);
}

TEST_F(IoctlCallsTest, WaitForVsyncIsAnsweredAtVblank) {
  serve_framebuffer(SteppedCard::Vblanks::stepped);
  const uint64_t waiting = wait_for_vblank();
  expect_service();
  ASSERT_TRUE(card->step());
  EXPECT_EQ(kernel.answer_to(waiting).error, 0);
}

TEST_F(IoctlCallsTest, TrapOfTracerDuringWaitReturnsSuccess) {
  const pid_t thread = ::gettid();
  ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  const unit::ChildProcess tracer([thread]() -> int {
    ::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr);
    unit::wait_to_be_killed();
  });
  ASSERT_TRUE(eventually([&] { return cuse::read_thread_status(thread)->tracer == tracer.process(); }));
  serve_framebuffer(SteppedCard::Vblanks::stepped);
  const uint64_t waiting = wait_for_vblank();
  kernel.interrupt(waiting);
  EXPECT_EQ(kernel.answer_to(waiting).error, 0);
  ASSERT_TRUE(card->step());
  expect_service();
}

TEST_F(IoctlCallsTest, SignalDuringWaitReturnsEintrOnce) {
  serve_framebuffer(SteppedCard::Vblanks::stepped);
  const uint64_t waiting = wait_for_vblank();
  kernel.interrupt(waiting);
  EXPECT_EQ(kernel.answer_to(waiting).error, -EINTR);
  ASSERT_TRUE(card->step());
  expect_service();
}

TEST_F(IoctlCallsTest, SignalAfterAnswerReturnsEagain) {
  limit.left = 0;  // one thread keeps the order of requests
  serve_framebuffer();
  const uint64_t waiting = send_ioctl(FBIO_WAITFORVSYNC, &crtc);
  EXPECT_EQ(kernel.answer_to(waiting).error, 0);
  const uint64_t interrupt = kernel.interrupt(waiting);
  // libfuse keeps an interrupt without a request until the next request, then asks the kernel to send it
  // again.
  fb_var_screeninfo var{};
  const uint64_t next = send_ioctl(FBIOGET_VSCREENINFO, &var);
  std::map<uint64_t, int> answers;
  for (int i = 0; i < 2; ++i) {
    const auto answer = kernel.next_answer().value();
    answers[answer.unique] = answer.error;
  }
  EXPECT_EQ(answers, (std::map<uint64_t, int>{{interrupt, -EAGAIN}, {next, 0}}));
}

TEST_F(IoctlCallsTest, SignalBeforeCallbackIsRegisteredIsAnsweredAfterwards) {
  // One thread serves INIT and the interrupt, to keep their order. The ioctl then gets a second thread.
  limit.left = 0;
  serve_framebuffer(SteppedCard::Vblanks::stepped);
  std::atomic<bool> answered_too_early{false};
  seam.after_interrupt_func = [&] {
    // The request's lock may still be held here. The other thread does the posted work in its order.
    std::promise<void> done;
    threads.post(unit::work([&] { done.set_value(); }));
    done.get_future().wait();
    answered_too_early = kernel.has_answer();
  };
  const uint64_t unique = kernel.next_unique();
  kernel.interrupt(unique);
  ASSERT_TRUE(eventually([&] { return limit.refused == 2; }));
  limit.left = 1;
  kernel.send_as(unique, FUSE_IOCTL, ioctl_request(FBIO_WAITFORVSYNC, &crtc));
  EXPECT_EQ(kernel.answer_to(unique).error, -EINTR);
  EXPECT_FALSE(answered_too_early) << "an answer frees the request, whose lock libfuse still holds";
  expect_service();
}

TEST_F(IoctlCallsTest, SignalAtAnyTimeLeadsToOneAnswer) {
  serve_framebuffer();
  constexpr int rounds = 500;
  std::map<uint64_t, int> answers;
  for (int i = 0; i < rounds; ++i) {
    const uint64_t unique = kernel.next_unique();
    answers[unique] = 1;
    std::thread signal([&] { kernel.interrupt(unique); });
    kernel.send_as(unique, FUSE_IOCTL, ioctl_request(FBIO_WAITFORVSYNC, &crtc));
    while (answers[unique] == 1) {
      const auto answer = kernel.next_answer();
      ASSERT_TRUE(answer) << "round " << i;
      // An interrupt that came too early or too late gets its own answer.
      if (answer->unique % 2 == 1) {
        EXPECT_EQ(answer->error, -EAGAIN);
        continue;
      }
      ASSERT_TRUE(answers.contains(answer->unique) && answers[answer->unique] == 1) << "a second answer";
      answers[answer->unique] = answer->error;
      EXPECT_TRUE(answer->error == 0 || answer->error == -EINTR) << answer->error;
    }
    signal.join();
  }
  // libfuse frees an interrupt that came too late with the next request.
  limit.left = 0;
  for (int i = 0; i < 50; ++i) {
    fb_var_screeninfo var{};
    const uint64_t unique = send_ioctl(FBIOGET_VSCREENINFO, &var);
    uint64_t answered = 0;
    while (answered != unique) {
      const auto answer = kernel.next_answer();
      ASSERT_TRUE(answer);
      answered = answer->unique;
    }
  }
}

TEST_F(IoctlCallsTest, IoctlAfterStopOfWorkersReturnsEio) {
  serve_framebuffer();
  ASSERT_TRUE(ioctl_workers->stop(unit::timeout));
  fb_var_screeninfo var{};
  EXPECT_EQ(ask_ioctl(FBIOGET_VSCREENINFO, &var).error, -EIO);
  EXPECT_EQ(ask_ioctl(FBIO_WAITFORVSYNC, &crtc).error, -EIO);
}

/// One allocation failure on one kind of thread, at each allocation in turn.
class IoctlCallsWithoutMemoryTest : public IoctlCallsTest, public testing::WithParamInterface<const char*> {};

TEST_P(IoctlCallsWithoutMemoryTest, IoctlReturnsItsResultOrEnomem) {
  serve_framebuffer();
  fb_var_screeninfo var{};
  fb_fix_screeninfo fix{};
  std::array<uint16_t, 256> colors{};
  fb_cmap map{0, 256, colors.data(), colors.data(), colors.data(), nullptr};
  fb_var_screeninfo panned{};
  const std::map<uint32_t, const void*> commands{{FBIOGET_VSCREENINFO, &var},
                                                 {FBIOGET_FSCREENINFO, &fix},
                                                 {FBIO_WAITFORVSYNC, &crtc},
                                                 {FBIOGETCMAP, &map},
                                                 {FBIOPAN_DISPLAY, &panned}};
  for (const auto& [command, argument] : commands) {
    bool failed = true;
    for (size_t successes = 0; failed && successes < 200; ++successes) {
      const unit::FailingMemory memory(GetParam(), successes);
      const int error = ask_ioctl(command, argument).error;
      failed = unit::FailingMemory::failed();
      EXPECT_TRUE(error == 0 || error == -ENOMEM) << error << " of " << command << " after " << successes;
      EXPECT_TRUE(failed || error == 0) << error << " of " << command;
    }
    EXPECT_FALSE(failed) << command;
  }
  expect_service();
}

INSTANTIATE_TEST_SUITE_P(OnThreads, IoctlCallsWithoutMemoryTest, testing::Values("session", "program"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
