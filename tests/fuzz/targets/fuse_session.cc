// Frames of the kernel to the FUSE file: each request is answered once, and the session goes on.
//
// Input: 1 byte (odd: the session is not initialized), then frames as RawChannel::send_next() takes them.
#include <memory>
#include <optional>

#include "cuse/session/fuse_server.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/raw_channel.h"
#include "tests/support/framebuffer_fixture.h"

namespace {

class FuseSession final : public unit::FramebufferFixture {
 public:
  FuseSession() {
    start();
    server.emplace(*framebuffer, cuse::ServedFile{"/nonexistent/fb0", {0, 0, 0660}}, ioctl_workers,
                   cuse::FuseServer::Environment{[this] { return channel.connect(); }, limit});
    server->start();
    channel.accept();
  }
  ~FuseSession() override {
    stop();
    fuzz::require(ioctl_workers.stop(limit), "the threads of the ioctls end");
    fuzz::require(server->stop(limit), "the session ends");
  }

  fuzz::RawChannel channel;

 private:
  static constexpr std::chrono::milliseconds limit{8000};

  void TestBody() override {}

  cuse::IoctlWorkers ioctl_workers;
  std::optional<cuse::FuseServer> server;
};

}  // namespace

/// libfuse does not free the interrupts of requests that never came.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libfuse3.so\n";
}

void fuzz::run(Input input) {
  FuseSession session;
  if (!input.take_bool()) session.channel.initialize(FUSE_INIT);
  constexpr unsigned most_frames = 64;
  for (unsigned i = 0; i < most_frames && !input.empty(); ++i) session.channel.send_next(input);
  session.channel.receive_all();
}
