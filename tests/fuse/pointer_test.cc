// Arguments of ioctls that are not accessible, or lie in the framebuffer itself.

#include <map>
#include <sstream>

#include "daemon.h"
#include "device_file.h"
#include "program.h"

namespace fuse_test {
namespace {

class PointerTest : public DaemonTest {};

TEST_F(PointerTest, BadPointerReturnsEfault) {
  Daemon& daemon = start();
  const Ended ended = run({BAD_POINTERS_PATH, daemon.device()});
  ASSERT_EQ(ended.exit_status, 0) << ended.errors;
  // Arguments that the daemon only reads may be read-only.
  const std::map<std::string, std::string> fine{{"FBIOPUTCMAP read-only", "0"},
                                                {"FBIOGETCMAP read-only", "0"},
                                                {"FBIOGETCMAP transp-unmapped", "0"},
                                                {"FBIO_WAITFORVSYNC read-only", "0"}};
  std::istringstream lines(ended.output);
  int count = 0;
  for (std::string name, kind, result; lines >> name >> kind >> result; ++count) {
    const auto found = fine.find(name + " " + kind);
    EXPECT_EQ(result, found == fine.end() ? "EFAULT" : found->second) << name << " " << kind;
  }
  EXPECT_EQ(count, 6 * 6 + 5 + 2 * 4);
  const DeviceFile file(daemon.device());
  EXPECT_EQ(file.var().xres, 640U) << "the daemon still serves requests";
}

TEST_F(PointerTest, ArgumentInFramebufferIsAccessible) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  EXPECT_EQ(program.ask("ioctls-inside 1 20"), "ok");
  EXPECT_EQ(daemon.status().at("offset").at("y"), 0);
}

TEST_F(PointerTest, ManyArgumentsInFramebufferAreAccessible) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  EXPECT_EQ(program.ask("ioctls-inside 100 5"), "ok");
  EXPECT_GE(daemon.statistic("ioctls"), 1000U);
}

TEST_F(PointerTest, ArgumentInEvictedPageIsReadBack) {
  // While one thread of the daemon waits for the argument, another must answer the page's READ.
  Daemon& daemon = start();
  Program program(daemon.device(), {"open rw"});
  const DeviceFile file(daemon.device());
  ASSERT_EQ(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
  ASSERT_EQ(program.ask("map rw smem"), "ok");
  const uint64_t before = daemon.statistic("reads");
  EXPECT_EQ(program.ask("ioctls-inside 1 1"), "ok");
  EXPECT_GT(daemon.statistic("reads"), before);
}

TEST_F(PointerTest, ManyArgumentsInEvictedPagesAreReadBack) {
  // While many threads of the daemon wait for arguments, others must answer their READs.
  Daemon& daemon = start();
  Program program(daemon.device(), {"open rw"});
  const DeviceFile file(daemon.device());
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
    ASSERT_EQ(program.ask("map rw smem"), "ok");
    ASSERT_EQ(program.ask("ioctls-inside 100 2 evict"), "ok");
    ASSERT_EQ(program.ask("unmap"), "ok");
  }
  EXPECT_EQ(file.var().xres, 640U);
}

TEST_F(PointerTest, KillDuringAccessToArgumentIsHarmless) {
  Daemon& daemon = start();
  for (int i = 0; i < 10; ++i) {
    Program program(daemon.device(), open_and_map);
    const uint64_t before = daemon.statistic("ioctls");
    program.send("ioctls-inside 50 100000 evict");
    ASSERT_TRUE(eventually([&] { return daemon.statistic("ioctls") > before + 50; }));
    ASSERT_TRUE(program.kill());
  }
  const DeviceFile file(daemon.device());
  EXPECT_EQ(file.var().xres, 640U);
}

}  // namespace
}  // namespace fuse_test
