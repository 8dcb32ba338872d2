#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "cuse/session/process_vt.h"
#include "tests/support/child_process.h"
#include "tests/support/temporary_folder.h"

using cuse::controlling_vt;
using cuse::ProcessFiles;
using cuse::ProcessVt;
using cuse::start_time;
using cuse::thread_group;

namespace {

constexpr unsigned tty_major = 4;
constexpr unsigned serial_line = 136 << 8;
constexpr unsigned plenty = 1'000'000;

std::string stat_line(const std::string& name, unsigned device, uint64_t started = 5000) {
  return "42 (" + name + ") S 1 42 42 " + std::to_string(device) + " 42 4194304 0 0 0 0 1 2 0 0 20 0 1 0 " +
         std::to_string(started) + " 9000 100";
}

bool has_opened(const ProcessVt& program, unsigned vt) {
  unsigned budget = plenty;
  return program.has_opened(vt, budget);
}

/// Process 42 in a folder that stands for /proc.
class ProcessVtTest : public testing::Test {
 protected:
  ProcessVtTest() { files = {folder.path(), "/dev/tty"}; }

  /// Makes process 42 with the threads 42 and 43.
  void make_process(unsigned device, uint64_t started = 5000) {
    std::filesystem::create_directories(folder.file("42/fd"));
    std::filesystem::create_directories(folder.file("43"));
    std::ofstream(folder.file("42/stat")) << stat_line("fbi", device, started) << '\n';
    for (const char* thread : {"42", "43"}) {
      std::ofstream(folder.file(std::string(thread) + "/status")) << "Name:\tfbi\nUmask:\t0022\nTgid:\t42\n";
    }
  }
  void open_file(const std::string& name, const std::string& target) {
    std::filesystem::create_symlink(target, folder.file("42/fd/" + name));
  }
  [[nodiscard]] ProcessVt client(std::optional<unsigned> active_vt, pid_t thread = 42) const {
    return {thread, active_vt, files};
  }
  [[nodiscard]] std::optional<unsigned> home(std::optional<unsigned> active_vt) const {
    return client(active_vt).program().home;
  }
  unit::TemporaryFolder folder;
  ProcessFiles files;
};

/// Real processes, and a plain file in place of VT 7.
class RealProcessVtTest : public testing::Test {
 protected:
  RealProcessVtTest() {
    files.vt_prefix = folder.file("tty");
    const std::ofstream vt(device());
  }
  [[nodiscard]] std::string device() const { return files.vt_prefix + "7"; }
  [[nodiscard]] int open_device() const { return ::open(device().c_str(), O_RDONLY | O_CLOEXEC); }
  unit::TemporaryFolder folder;
  ProcessFiles files;
};

}  // namespace

TEST(ControllingVt, OtherTerminalIsNoVt) {
  EXPECT_EQ(controlling_vt(stat_line("sh", tty_major << 8 | 2)), 2U);
  EXPECT_EQ(controlling_vt(stat_line("a) S 1 1 1 1025 (b", tty_major << 8 | 3)), 3U);
  EXPECT_EQ(controlling_vt(stat_line("none", 0)), std::nullopt);
  EXPECT_EQ(controlling_vt(stat_line("pts", serial_line | 2)), std::nullopt);
  EXPECT_EQ(controlling_vt(stat_line("serial", tty_major << 8 | 64)), std::nullopt);
  EXPECT_EQ(controlling_vt(""), std::nullopt);
  EXPECT_EQ(controlling_vt("42 (x"), std::nullopt);
  EXPECT_EQ(controlling_vt("42 (x) S 1"), std::nullopt);
}

TEST(StartTime, IsField22) {
  EXPECT_EQ(start_time(stat_line("sh", 0, 123'456'789'012)), 123'456'789'012U);
  EXPECT_EQ(start_time(stat_line("a) S 1 1 (b", 0, 77)), 77U);
  EXPECT_EQ(start_time(""), std::nullopt);
  EXPECT_EQ(start_time("42 (x) S 1 42 42 0 42 4194304 0"), std::nullopt);
}

TEST(ThreadGroup, IsNumberAfterTgid) {
  EXPECT_EQ(thread_group("Name:\tsh\nTgid:\t314\nNgid:\t0\n"), 314);
  EXPECT_EQ(thread_group("Name:\tTgid:\t5\nUmask:\t0022\nTgid:\t314\n"), 314);
  EXPECT_EQ(thread_group("Name:\tsh\n"), 0);
  EXPECT_EQ(thread_group(""), 0);
}

TEST_F(ProcessVtTest, HomeIsControllingVt) {
  make_process(tty_major << 8 | 2);
  EXPECT_EQ(home(1), 2U);
}

TEST_F(ProcessVtTest, HomeWithoutControllingVtIsActiveVt) {
  make_process(serial_line);
  EXPECT_EQ(home(5), 5U);
}

TEST_F(ProcessVtTest, HomeWithoutVtsIsUnknown) {
  make_process(0);
  EXPECT_EQ(home(std::nullopt), std::nullopt);
}

TEST_F(ProcessVtTest, VtOpenedLaterIsFound) {
  make_process(0);
  const ProcessVt program = client(1);
  open_file("3", "/dev/fb0");
  EXPECT_FALSE(has_opened(program, 7));
  open_file("4", "/dev/tty7");
  EXPECT_TRUE(has_opened(program, 7));
  EXPECT_FALSE(has_opened(program, 8));
}

TEST_F(ProcessVtTest, ThreadsOfOneProcessAreOneProgram) {
  make_process(0);
  EXPECT_EQ(client(1, 43).program(), client(1, 42).program());
  EXPECT_EQ(client(1, 43).program().process, 42);
}

TEST_F(ProcessVtTest, ProcessIsFoundAfterExitOfOpeningThread) {
  make_process(0);
  const ProcessVt program = client(1, 43);
  std::filesystem::remove_all(folder.file("43"));
  open_file("4", "/dev/tty7");
  EXPECT_TRUE(has_opened(program, 7));
}

TEST_F(ProcessVtTest, ReusedThreadNumberIsIgnored) {
  make_process(0);
  const ProcessVt program = client(1, 43);
  std::filesystem::create_directories(folder.file("43/fd"));
  std::filesystem::create_symlink("/dev/tty7", folder.file("43/fd/3"));
  EXPECT_FALSE(has_opened(program, 7));
}

TEST_F(ProcessVtTest, ReusedProcessNumberIsIgnored) {
  make_process(tty_major << 8 | 2);
  const ProcessVt program = client(1);
  make_process(0, 6000);
  open_file("4", "/dev/tty7");
  EXPECT_FALSE(has_opened(program, 7));
  EXPECT_TRUE(has_opened(client(1), 7)) << "the later process itself";
  EXPECT_NE(client(2).program(), program.program());
}

TEST_F(ProcessVtTest, HomeStaysAfterProcessEnded) {
  make_process(tty_major << 8 | 2);
  const ProcessVt program = client(1);
  std::filesystem::remove_all(folder.file("42"));
  EXPECT_EQ(program.program().home, 2U);
  EXPECT_FALSE(has_opened(program, 7));
}

TEST_F(ProcessVtTest, HomeOfInvisibleProcessIsActiveVt) {
  EXPECT_EQ(client(3, 0).program(), (fbemu::ProgramId{0, 0, 3}));
  EXPECT_EQ(client(3, 99).program(), (fbemu::ProgramId{0, 0, 3})) << "not in /proc";
  EXPECT_FALSE(has_opened(client(3, 99), 7));
}

TEST_F(ProcessVtTest, SearchReducesBudgetByProgramAndDescriptors) {
  make_process(0);
  for (int i = 0; i < 9; ++i) open_file(std::to_string(i), "/dev/null");
  unsigned budget = 100;
  EXPECT_FALSE(client(1).has_opened(7, budget));
  EXPECT_EQ(budget, 90U);
  budget = 3;
  EXPECT_FALSE(client(1).has_opened(7, budget));
  EXPECT_EQ(budget, 0U);
}

TEST_F(ProcessVtTest, SearchEndsAtMaximumNumberOfDescriptors) {
  make_process(0);
  for (unsigned i = 0; i < ProcessVt::most_descriptors + 200; ++i) {
    open_file(std::to_string(i), "/dev/null");
  }
  unsigned budget = plenty;
  EXPECT_FALSE(client(1).has_opened(7, budget));
  EXPECT_EQ(budget, plenty - 1 - ProcessVt::most_descriptors);
}

TEST_F(RealProcessVtTest, ProcessIsFoundAfterExitOfOpeningThread) {
  std::optional<ProcessVt> program;
  base::UniqueFd vt;
  std::thread([&] {
    vt.reset(open_device());
    program.emplace(::gettid(), 1, files);
  }).join();
  EXPECT_EQ(program->program().process, ::getpid());
  EXPECT_TRUE(has_opened(*program, 7));
  vt.reset();
  EXPECT_FALSE(has_opened(*program, 7));
}

TEST_F(RealProcessVtTest, ProcessIsFoundAfterExitOfMainThread) {
  unit::Pipe opened;
  const std::string path = device();
  unit::ChildProcess child([&] {
    std::thread([&] {
      // /proc/self/fd shows the descriptors of the main thread.
      std::error_code none;
      while (std::filesystem::directory_iterator("/proc/self/fd", none) !=
             std::filesystem::directory_iterator()) {
        std::this_thread::yield();
      }
      static_cast<void>(::open(path.c_str(), O_RDONLY));
      opened.put('o');
      unit::wait_to_be_killed();
    }).detach();
    ::syscall(SYS_exit, 0);
    return 0;
  });
  ASSERT_EQ(opened.get(), 'o');
  const ProcessVt program(child.process(), 1, files);
  EXPECT_TRUE(has_opened(program, 7));
  child.kill();
  EXPECT_FALSE(has_opened(program, 7));
}

TEST_F(RealProcessVtTest, KilledProcessIsNotFound) {
  unit::Pipe opened;
  unit::ChildProcess child([&] {
    static_cast<void>(open_device());
    opened.put('o');
    unit::wait_to_be_killed();
    return 0;
  });
  ASSERT_EQ(opened.get(), 'o');
  const ProcessVt program(child.process(), 1, files);
  EXPECT_TRUE(has_opened(program, 7));
  child.kill();
  EXPECT_FALSE(has_opened(program, 7));
}
