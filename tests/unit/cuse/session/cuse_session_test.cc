// The CUSE device on a channel with the test as its kernel.

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "cuse/service/log.h"
#include "cuse/session/cuse_device.h"
#include "tests/support/captured_log.h"
#include "tests/support/failing_memory.h"
#include "tests/support/framebuffer_fixture.h"
#include "tests/support/kernel_double.h"
#include "tests/support/libfuse_seam.h"
#include "tests/support/thread_doubles.h"
#include "tests/support/thrown.h"

namespace {

using cuse::CuseDevice;
using unit::eventually;
using unit::KernelDouble;

constexpr const char* node = "/dev/fb7";
const dev_t number = makedev(29, 7);

class CuseSessionTest : public unit::FramebufferFixture {
 protected:
  ~CuseSessionTest() override {
    stop();
    EXPECT_TRUE(ioctl_workers.stop(unit::timeout));
    EXPECT_TRUE(!device || device->stop(unit::timeout));
  }

  [[nodiscard]] CuseDevice::Environment environment() {
    return {[this] { return kernel.take_channel(); }, [this](const std::string&) { return registered; }};
  }
  /// Starts the device, with the test as the kernel. Returns the exception of start().
  unit::Thrown start_device(const CuseDevice::Environment& with) {
    unit::FramebufferFixture::start();
    device.emplace(*framebuffer, node, ioctl_workers, with);
    auto started =
        std::async(std::launch::async, [this] { return unit::thrown_by([this] { device->start(); }); });
    init = kernel.ask(CUSE_INIT, KernelDouble::init_request());
    return started.get();
  }
  void start_device() {
    const unit::Thrown thrown = start_device(environment());
    ASSERT_EQ(thrown.what, "");
  }
  /// Connects the device to a file in memory, in place of the mounted file.
  void connect() {
    file.reset(::memfd_create("file", MFD_CLOEXEC));
    ASSERT_EQ(::ftruncate(file.get(), 4096), 0);
    device->connect(base::UniqueFd(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0)));
  }
  [[nodiscard]] uint64_t open_file(uint32_t flags = O_RDWR) {
    fuse_open_in request{};
    request.flags = flags;
    const auto answer = kernel.ask(FUSE_OPEN, request);
    EXPECT_EQ(answer.error, 0);
    return answer.as<fuse_open_out>().fh;
  }
  KernelDouble::Answer write(uint64_t handle, uint64_t offset, const std::string& text) {
    fuse_write_in request{};
    request.fh = handle;
    request.offset = offset;
    request.size = static_cast<uint32_t>(text.size());
    return kernel.ask(FUSE_WRITE, request, text);
  }
  KernelDouble::Answer read(uint64_t handle, uint64_t offset, uint32_t size) {
    fuse_read_in request{};
    request.fh = handle;
    request.offset = offset;
    request.size = size;
    return kernel.ask(FUSE_READ, request);
  }
  KernelDouble::Answer ioctl(uint64_t handle, uint32_t command, const void* argument) {
    fuse_ioctl_in request{};
    request.fh = handle;
    request.flags = FUSE_IOCTL_UNRESTRICTED;
    request.cmd = command;
    request.arg = reinterpret_cast<uint64_t>(argument);
    return kernel.ask(FUSE_IOCTL, request);
  }
  KernelDouble::Answer close_file(uint64_t handle) {
    fuse_release_in request{};
    request.fh = handle;
    return kernel.ask(FUSE_RELEASE, request);
  }

  unit::LibfuseSeam seam;
  KernelDouble kernel;
  std::optional<dev_t> registered = number;
  base::UniqueFd file;
  cuse::IoctlWorkers ioctl_workers;
  std::optional<CuseDevice> device;
  KernelDouble::Answer init;
};

TEST_F(CuseSessionTest, StartRequestsNodeAndUnrestrictedIoctls) {
  start_device();
  EXPECT_EQ(init.error, 0);
  EXPECT_NE(init.as<cuse_init_out>().flags & CUSE_UNRESTRICTED_IOCTL, 0U);
  EXPECT_NE(init.text().find("DEVNAME=fb7"), std::string::npos);
  EXPECT_EQ(device->number(), "29:7");
}

TEST_F(CuseSessionTest, DeviceNotRegisteredByKernelFailsStartWithEnodev) {
  const unit::CapturedLog log;
  registered.reset();
  const unit::Thrown thrown = start_device(environment());
  EXPECT_EQ(thrown.code, ENODEV);
  EXPECT_TRUE(thrown.says("did not register the CUSE device /dev/fb7")) << thrown.what;
  kernel.close();
  EXPECT_TRUE(device->stop(unit::timeout));
  EXPECT_EQ(log.count("was removed"), 0U) << "the device never existed";
}

TEST_F(CuseSessionTest, ExceptionDuringNodeSearchIsThrownByStart) {
  CuseDevice::Environment broken = environment();
  broken.find_node = [](const std::string&) -> std::optional<dev_t> { throw std::bad_alloc(); };
  EXPECT_TRUE(start_device(broken).says("bad_alloc"));
}

TEST_F(CuseSessionTest, ChannelOpenFailureIsThrownByStart) {
  unit::FramebufferFixture::start();
  CuseDevice::Environment broken = environment();
  broken.open_channel = []() -> base::UniqueFd {
    throw std::system_error(EACCES, std::generic_category(), "cannot open /dev/cuse");
  };
  device.emplace(*framebuffer, node, ioctl_workers, broken);
  const unit::Thrown thrown = unit::thrown_by([this] { device->start(); });
  EXPECT_EQ(thrown.code, EACCES);
  EXPECT_TRUE(thrown.says("/dev/cuse")) << thrown.what;
}

TEST_F(CuseSessionTest, ConnectionLostBeforeInitFailsStartWithEnodev) {
  unit::FramebufferFixture::start();
  device.emplace(*framebuffer, node, ioctl_workers, environment());
  kernel.close();
  EXPECT_EQ(unit::thrown_by([this] { device->start(); }).code, ENODEV);
}

TEST_F(CuseSessionTest, OpenAndReleaseUpdateFileCounts) {
  start_device();
  const uint64_t writer = open_file(O_RDWR);
  const uint64_t reader = open_file(O_RDONLY);
  EXPECT_EQ(framebuffer->status().open_files, 2U);
  EXPECT_EQ(framebuffer->status().open_writers, 1U);
  EXPECT_EQ(close_file(writer).error, 0);
  EXPECT_EQ(close_file(reader).error, 0);
  EXPECT_EQ(framebuffer->status().open_files, 0U);
}

TEST_F(CuseSessionTest, EachOpenFileHasItsOwnPosition) {
  start_device();
  connect();
  const uint64_t first = open_file();
  const uint64_t second = open_file();
  // CUSE cuts a large write into pieces at rising offsets; each system call starts at 0 again.
  EXPECT_EQ(write(first, 0, "one ").as<fuse_write_out>().size, 4U);
  EXPECT_EQ(write(first, 4, "two ").as<fuse_write_out>().size, 4U);
  EXPECT_EQ(write(first, 0, "three").as<fuse_write_out>().size, 5U);
  EXPECT_EQ(read(second, 0, 4).text(), "one ");
  EXPECT_EQ(read(second, 0, 9).text(), "two three");
}

TEST_F(CuseSessionTest, ReadAndWriteBeforeConnectReturnEnodev) {
  start_device();
  const uint64_t handle = open_file();
  EXPECT_EQ(read(handle, 0, 4).error, -ENODEV);
  EXPECT_EQ(write(handle, 0, "x").error, -ENODEV);
}

TEST_F(CuseSessionTest, ReadErrorOfFileIsReturned) {
  start_device();
  device->connect(base::UniqueFd(::open("/dev/null", O_WRONLY | O_CLOEXEC)));
  EXPECT_EQ(read(open_file(), 0, 4).error, -EBADF);
}

TEST_F(CuseSessionTest, IoctlReachesFramebuffer) {
  start_device();
  const uint64_t handle = open_file();
  fb_var_screeninfo var{};
  EXPECT_EQ(ioctl(handle, FBIOGET_VSCREENINFO, &var).error, 0);
  EXPECT_EQ(var.xres, 64U);
  EXPECT_EQ(ioctl(handle, FBIO_WAITFORVSYNC, nullptr).error, 0);
  EXPECT_EQ(ioctl(handle, 0x46ff, nullptr).error, -ENOTTY);
}

TEST_F(CuseSessionTest, PollReportsReadableAndWritable) {
  start_device();
  const auto answer = kernel.ask(FUSE_POLL, fuse_poll_in{});
  EXPECT_EQ(answer.error, 0);
  EXPECT_EQ(answer.as<fuse_poll_out>().revents,
            static_cast<uint32_t>(POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM));
}

TEST_F(CuseSessionTest, LostConnectionIsLoggedAndEndsThreads) {
  const unit::CapturedLog log;
  start_device();
  kernel.close();
  EXPECT_TRUE(eventually([&] { return log.count("the CUSE device /dev/fb7 was removed") == 1; }));
  EXPECT_TRUE(device->stop(unit::timeout));
}

TEST_F(CuseSessionTest, RequestsOfManyThreadsAreEachAnsweredOnce) {
  start_device();
  connect();
  const uint64_t handle = open_file();
  std::array<fb_var_screeninfo, 4> vars{};
  std::atomic<size_t> sent{0};
  unit::Gate answered_all;
  std::vector<std::thread> programs;
  for (fb_var_screeninfo& var : vars) {
    programs.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        fuse_ioctl_in request{};
        request.fh = handle;
        request.cmd = FBIOGET_VSCREENINFO;
        request.arg = reinterpret_cast<uint64_t>(&var);
        kernel.send(FUSE_IOCTL, request);
        kernel.send(FUSE_WRITE, fuse_write_in{handle, 0, 1, 0, 0, 0, 0}, "x");
        sent += 2;
      }
      answered_all.pass();  // a program waits for its answer
    });
  }
  // Fewer requests than the socket can queue; beyond that it drops requests that /dev/fuse would accept.
  std::set<uint64_t> answered;
  while (answered.size() < 160) {
    const auto answer = kernel.next_answer();
    EXPECT_TRUE(answer) << answered.size() << " of " << sent;
    if (!answer) break;
    EXPECT_EQ(answer->error, 0);
    EXPECT_TRUE(answered.insert(answer->unique).second);
  }
  answered_all.open();
  for (std::thread& program : programs) program.join();
  EXPECT_FALSE(kernel.has_answer());
}

TEST_F(CuseSessionTest, AllocationFailureInOperationReturnsEnomem) {
  start_device();
  connect();
  const uint64_t handle = open_file();
  fuse_open_in open_request{};
  open_request.flags = O_RDWR;
  fuse_read_in read_request{};
  read_request.fh = handle;
  fuse_ioctl_in ioctl_request{};
  ioctl_request.fh = handle;
  ioctl_request.cmd = FBIO_WAITFORVSYNC;
  // The buffer of read() grows with `size`.
  uint32_t size = 16;
  const std::vector<std::function<KernelDouble::Answer()>> operations{
      [&] { return kernel.ask(FUSE_OPEN, open_request); },
      [&] {
        read_request.size = size *= 2;
        return kernel.ask(FUSE_READ, read_request);
      },
      [&] { return kernel.ask(FUSE_IOCTL, ioctl_request); },
  };
  for (const auto& operation : operations) {
    bool failed = true;
    for (size_t successes = 0; failed && successes < 100; ++successes) {
      const unit::FailingMemory memory("cuse", successes);
      const int error = operation().error;
      failed = unit::FailingMemory::failed();
      EXPECT_TRUE(error == 0 || error == -ENOMEM) << error << " after " << successes;
    }
    EXPECT_FALSE(failed);
  }
}

TEST(CuseSessionDeathTest, ThreadThatDoesNotEndEndsProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  struct Stuck : CuseSessionTest {
    void TestBody() override {}
    unit::Gate gate;
    void end_with_a_thread_that_waits() {
      CuseDevice::Environment short_timeout = environment();
      short_timeout.stop_timeout = std::chrono::milliseconds(1);
      std::atomic<bool> waits{false};
      seam.before_receive = [&]() -> std::optional<int> {
        if (waits) gate.pass();
        return std::nullopt;
      };
      static_cast<void>(start_device(short_timeout));
      waits = true;
      static_cast<void>(kernel.send(FUSE_POLL, fuse_poll_in{}));
      static_cast<void>(eventually([&] { return gate.waiting() > 0; }));
      device.reset();
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
