// Frames of the kernel to the CUSE device: each request is answered once, and the session goes on.
//
// Input: frames as RawChannel::send_next() takes them. CUSE_INIT comes before them.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include <future>
#include <memory>
#include <optional>

#include "cuse/session/cuse_device.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/raw_channel.h"
#include "tests/support/framebuffer_fixture.h"

namespace {

using cuse::CuseDevice;

class CuseSession final : public unit::FramebufferFixture {
 public:
  CuseSession() {
    start();
    device.emplace(*framebuffer, "/dev/fb7", ioctl_workers,
                   CuseDevice::Environment{[this] { return channel.connect(); },
                                           [](const std::string&) { return makedev(29, 7); }});
    auto started = std::async(std::launch::async, [this] { device->start(); });
    channel.accept();
    channel.initialize(CUSE_INIT);
    started.get();
    device->connect(make_file());
  }
  ~CuseSession() override {
    stop();
    fuzz::require(ioctl_workers.stop(limit), "the threads of the ioctls end");
    fuzz::require(device->stop(limit), "the session ends");
  }

  fuzz::RawChannel channel;

 private:
  static constexpr std::chrono::milliseconds limit{8000};

  void TestBody() override {}

  /// Makes a file in memory in place of the mounted one, whose size is fixed too.
  [[nodiscard]] base::UniqueFd make_file() const {
    base::UniqueFd file(::memfd_create("file", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    fuzz::require(::ftruncate(file.get(), static_cast<off_t>(framebuffer->memory_bytes())) == 0,
                  "memory suffices");
    fuzz::require(::fcntl(file.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0,
                  "the size can be fixed");
    return file;
  }

  cuse::IoctlWorkers ioctl_workers;
  std::optional<CuseDevice> device;
};

}  // namespace

/// libfuse does not free the interrupts of requests that never came.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libfuse3.so\n";
}

void fuzz::run(Input input) {
  CuseSession session;
  constexpr unsigned most_frames = 64;
  for (unsigned i = 0; i < most_frames && !input.empty(); ++i) session.channel.send_next(input);
  session.channel.receive_all();
}
