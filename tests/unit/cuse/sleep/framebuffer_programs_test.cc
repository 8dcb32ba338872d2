#include "cuse/sleep/framebuffer_programs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "tests/support/child_process.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_folder.h"

namespace {

using unit::ChildProcess;

/// A file in memory as the framebuffer. Other test programs have other files, and are not found.
class FramebufferProgramsTest : public testing::Test {
 protected:
  FramebufferProgramsTest() : file_(::memfd_create("framebuffer", MFD_CLOEXEC)) {
    EXPECT_EQ(::ftruncate(file_.get(), 4096), 0);
    struct stat status {};
    EXPECT_EQ(::fstat(file_.get(), &status), 0);
    files_ = {status.st_dev, status.st_ino, 0};
  }

  /// Starts a child that runs `prepare`, reports, and waits.
  [[nodiscard]] std::unique_ptr<ChildProcess> start(const std::function<void()>& prepare) const {
    const unit::Pipe ready;
    auto child = std::make_unique<ChildProcess>([&]() -> int {
      prepare();
      ready.put('r');
      unit::wait_to_be_killed();
    });
    EXPECT_EQ(ready.get(), 'r');
    return child;
  }
  /// Returns the programs that are found, without this process, which has the file open.
  [[nodiscard]] std::vector<pid_t> found() const {
    return cuse::FramebufferPrograms(files_, {::getpid()}).find();
  }

  base::UniqueFd file_;
  cuse::FramebufferFiles files_;
};

TEST_F(FramebufferProgramsTest, OpenDescriptorIsFound) {
  const auto child = start([] {});
  EXPECT_EQ(found(), std::vector{child->process()});
}

TEST_F(FramebufferProgramsTest, OtherProgramIsNotFound) {
  const auto child = start([this] { file_.reset(); });
  EXPECT_TRUE(found().empty());
}

TEST_F(FramebufferProgramsTest, MappingWithoutDescriptorIsFound) {
  const auto child = start([this] {
    EXPECT_NE(::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file_.get(), 0), MAP_FAILED);
    file_.reset();
  });
  EXPECT_EQ(found(), std::vector{child->process()});
}

TEST_F(FramebufferProgramsTest, OtherNameOfFileIsFound) {
  const unit::TemporaryFolder folder;
  const std::string first = folder.path() + "/fb";
  const std::string second = folder.path() + "/screen";
  file_.reset(::open(first.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct stat status {};
  ASSERT_EQ(::fstat(file_.get(), &status), 0);
  files_ = {status.st_dev, status.st_ino, 0};
  ASSERT_EQ(::link(first.c_str(), second.c_str()), 0);
  file_.reset();
  const auto child = start([&] { static_cast<void>(::open(second.c_str(), O_RDONLY)); });
  EXPECT_EQ(found(), std::vector{child->process()});
}

TEST_F(FramebufferProgramsTest, ProgramWhoseMainThreadEndedIsFound) {
  const unit::Pipe ready;
  const ChildProcess threaded([&] {
    std::thread([&ready] {
      ready.put('r');
      unit::wait_to_be_killed();
    }).detach();
    ::syscall(SYS_exit, 0);  // ends this thread only
    return 0;
  });
  ASSERT_EQ(ready.get(), 'r');
  const std::string descriptors = "/proc/" + std::to_string(threaded.process()) + "/fd";
  ASSERT_TRUE(unit::eventually([&] { return cuse::numbers_in(descriptors).empty(); }));
  EXPECT_EQ(found(), std::vector{threaded.process()});
}

TEST_F(FramebufferProgramsTest, ExcludedProcessIsNotFound) {
  const auto child = start([] {});
  cuse::FramebufferPrograms search(files_, {::getpid(), child->process()});
  EXPECT_TRUE(search.find().empty());
}

TEST_F(FramebufferProgramsTest, CharacterDeviceIsFoundByItsNumber) {
  // /dev/full stands for the CUSE device.
  const base::UniqueFd full(::open("/dev/full", O_RDONLY | O_CLOEXEC));
  if (!full) GTEST_SKIP() << "this test needs /dev/full";
  const auto child = start([this] { file_.reset(); });
  const auto contains = [&] { return std::ranges::count(found(), child->process()) > 0; };
  EXPECT_FALSE(contains());
  files_.character_device = makedev(1, 7);
  EXPECT_TRUE(contains());
  files_.character_device = makedev(1, 200);
  EXPECT_FALSE(contains());
}

TEST_F(FramebufferProgramsTest, NumbersInMissingFolderAreEmpty) {
  EXPECT_TRUE(cuse::numbers_in("/proc/self/missing").empty());
}

}  // namespace
