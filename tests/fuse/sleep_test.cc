// Programs that use the framebuffer without a pause, frozen before a sleep and thawed after it.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cuse/service/thread_status.h"
#include "daemon.h"
#include "device_file.h"
#include "program.h"

namespace fuse_test {
namespace {

constexpr std::array loops{"ioctl", "vsync", "pan", "pwrite", "store"};

/// A program in one of these loops, with its counter.
class LoopingProgram {
 public:
  LoopingProgram(Daemon& daemon, const std::string& name)
      : program_(daemon.device(), {"open rw", "virtual 960", "map rw smem"}) {
    const std::string file = daemon.device() + "." + name;
    const base::UniqueFd memory(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_EQ(::ftruncate(memory.get(), sizeof(uint64_t)), 0);
    void* map = ::mmap(nullptr, sizeof(uint64_t), PROT_READ, MAP_SHARED, memory.get(), 0);
    EXPECT_NE(map, MAP_FAILED);
    counter_ = static_cast<volatile uint64_t*>(map);
    program_.send("loop " + name + " " + file);
  }
  LoopingProgram(const LoopingProgram&) = delete;
  LoopingProgram& operator=(const LoopingProgram&) = delete;
  ~LoopingProgram() { ::munmap(const_cast<uint64_t*>(counter_), sizeof(uint64_t)); }

  [[nodiscard]] uint64_t count() const { return *counter_; }
  [[nodiscard]] bool goes_on() const {
    const uint64_t before = count();
    return eventually([&] { return count() > before + 1; });
  }
  [[nodiscard]] char state() {
    const auto status = cuse::read_thread_status(program_.process().id());
    return status ? status->state : '-';
  }
  /// Ends the loop. Returns its answer: "ok" if no call failed.
  [[nodiscard]] std::string end() {
    program_.send("close");
    return program_.answer();
  }
  Program& program() { return program_; }

 private:
  Program program_;
  volatile uint64_t* counter_ = nullptr;
};

class SleepTest : public DaemonTest {
 protected:
  void start_loops() {
    daemon = &start();
    for (const std::string name : loops) programs.push_back(std::make_unique<LoopingProgram>(*daemon, name));
    for (const auto& program : programs) ASSERT_TRUE(program->goes_on());
  }
  /// Freezes all programs. On a busy machine, a thread may take longer than the second that it has, and a
  /// further request finds it stopped.
  void freeze() const {
    daemon->expect_warnings();
    nlohmann::json report;
    EXPECT_TRUE(eventually([&] {
      report = daemon->ask("freeze");
      return report.at("not_frozen").empty();
    })) << report;
    EXPECT_EQ(report.at("programs"), programs.size()) << report;
  }
  void thaw() const { EXPECT_EQ(daemon->ask("thaw").at("thawed"), true); }
  [[nodiscard]] std::string states() const {
    std::string states;
    for (const auto& program : programs) states += program->state();
    return states;
  }
  [[nodiscard]] std::vector<uint64_t> counts() const {
    std::vector<uint64_t> counts;
    for (const auto& program : programs) counts.push_back(program->count());
    return counts;
  }
  void expect_success() const {
    for (size_t i = 0; i < programs.size(); ++i) {
      EXPECT_TRUE(programs[i]->goes_on()) << loops.at(i);
      EXPECT_EQ(programs[i]->end(), "ok") << loops.at(i);
    }
  }

  Daemon* daemon = nullptr;
  std::vector<std::unique_ptr<LoopingProgram>> programs;
};

TEST_F(SleepTest, FrozenProgramsMakeNoProgress) {
  start_loops();
  freeze();
  EXPECT_EQ(states(), "ttttt");
  const std::vector<uint64_t> before = counts();
  const uint64_t ticks = daemon->statistic("ticks");
  const DeviceFile file(daemon->device(), O_RDWR);  // a writer, so that there are ticks
  EXPECT_TRUE(eventually([&] { return daemon->statistic("ticks") > ticks + 5; }));
  EXPECT_EQ(counts(), before);
  EXPECT_EQ(states(), "ttttt");
  thaw();
  expect_success();
}

TEST_F(SleepTest, NoCallFailsInManySleeps) {
  start_loops();
  for (int i = 0; i < 30; ++i) {
    freeze();
    ASSERT_EQ(states(), "ttttt");
    thaw();
    for (const auto& program : programs) ASSERT_TRUE(program->goes_on()) << states();
  }
  expect_success();
}

TEST_F(SleepTest, WaitForVblankThatIsFrozenSucceeds) {
  daemon = &start({.card = "headless:64x64@1"});
  Program program(daemon->device(), {"open rw"});
  const uint64_t before = daemon->statistic("ioctls");
  program.send("vsync");
  ASSERT_TRUE(eventually([&] { return daemon->statistic("ioctls") > before; }));
  EXPECT_EQ(daemon->ask("freeze").at("programs"), 1U);
  thaw();
  EXPECT_EQ(program.answer(), "ok");
}

TEST_F(SleepTest, KilledProgramEndsWhileFrozen) {
  start_loops();
  freeze();
  for (const auto& program : programs) EXPECT_TRUE(program->program().kill());
  EXPECT_TRUE(eventually([&] { return daemon->status().at("open_files") == 0; }));
}

TEST_F(SleepTest, EndOfDaemonLetsProgramsRun) {
  start_loops();
  freeze();
  daemon->end();
  for (const auto& program : programs) EXPECT_TRUE(eventually([&] { return program->state() != 't'; }));
}

TEST_F(SleepTest, KilledDaemonLetsProgramsRun) {
  start_loops();
  freeze();
  daemon->expect_exit_status(128 + SIGKILL);
  daemon->end(SIGKILL);
  for (const auto& program : programs) EXPECT_TRUE(eventually([&] { return program->state() != 't'; }));
}

TEST_F(SleepTest, FrozenCommandHasNotEnded) {
  // The daemon is the parent of its command as well as its tracer.
  daemon = &start({.command = {FBPROGRAM_PATH, file("fb")}});
  Process& process = daemon->process();
  process.send("open rw\n");
  ASSERT_EQ(process.read_line(), "ok");
  EXPECT_EQ(daemon->ask("freeze").at("programs"), 1U);
  thaw();
  process.send("var\n");
  EXPECT_EQ(process.read_line(), "ok 640 480 640 480 0 0 32");
  EXPECT_EQ(daemon->ask("freeze").at("programs"), 1U);
  process.send("exit 3\n");
  thaw();
  daemon->expect_exit_status(3);
  daemon->check_end();
}

TEST_F(SleepTest, FbemuctlFreezesAndThaws) {
  daemon = &start();
  Program program(daemon->device(), {"open rw"});
  const auto fbemuctl = [&](const std::string& command) {
    return run({FBEMUCTL_PATH, "--control", daemon->control(), command});
  };
  const Ended frozen = fbemuctl("freeze");
  EXPECT_EQ(frozen.exit_status, 0) << frozen.errors;
  EXPECT_EQ(frozen.output, "frozen programs: 1, threads: 1\n");
  EXPECT_EQ(fbemuctl("thaw").output, "the programs run again\n");
  EXPECT_EQ(fbemuctl("thaw").output, "no programs were frozen\n");
  EXPECT_EQ(program.ask("vsync"), "ok");
}

}  // namespace
}  // namespace fuse_test
