#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "cuse/process_terminal.h"
#include "tests/unit/temporary_folder.h"

using cuse::controlling_terminal;
using cuse::ProcessTerminal;

namespace {

constexpr unsigned tty_major = 4;

std::string stat_line(const std::string& name, unsigned device) {
  return "42 (" + name + ") S 1 42 42 " + std::to_string(device) + " 42 4194304 0";
}

class ProcessTerminals : public testing::Test {
 protected:
  void make_process(unsigned device) {
    std::filesystem::create_directories(folder.file("42/fd"));
    std::ofstream(folder.file("42/stat")) << stat_line("fbi", device) << '\n';
  }
  void open_file(const std::string& name, const std::string& target) {
    std::filesystem::create_symlink(target, folder.file("42/fd/" + name));
  }
  [[nodiscard]] ProcessTerminal terminal(std::optional<unsigned> front) const {
    return {42, folder.path(), front};
  }
  unit::TemporaryFolder folder;
};

}  // namespace

TEST(ControllingTerminal, OnlyVirtualTerminalsCount) {
  EXPECT_EQ(controlling_terminal(stat_line("sh", tty_major << 8 | 2)), 2U);
  EXPECT_EQ(controlling_terminal(stat_line("a) S 1 1 1 1025 (b", tty_major << 8 | 3)), 3U);
  EXPECT_EQ(controlling_terminal(stat_line("none", 0)), std::nullopt);
  EXPECT_EQ(controlling_terminal(stat_line("pts", 136 << 8 | 2)), std::nullopt);
  EXPECT_EQ(controlling_terminal(stat_line("serial", tty_major << 8 | 64)), std::nullopt);
  EXPECT_EQ(controlling_terminal(""), std::nullopt);
  EXPECT_EQ(controlling_terminal("42 (x"), std::nullopt);
  EXPECT_EQ(controlling_terminal("42 (x) S 1"), std::nullopt);
}

TEST_F(ProcessTerminals, AProgramBelongsToItsControllingTerminal) {
  make_process(tty_major << 8 | 2);
  EXPECT_TRUE(terminal(1).is(2));
  EXPECT_FALSE(terminal(1).is(1));
}

TEST_F(ProcessTerminals, OneWithoutBelongsToTheTerminalThatWasInFront) {
  make_process(136 << 8);
  EXPECT_TRUE(terminal(5).is(5));
  EXPECT_FALSE(terminal(5).is(1));
}

TEST_F(ProcessTerminals, WithoutTerminalsItBelongsToAll) {
  make_process(0);
  EXPECT_TRUE(terminal(std::nullopt).is(1));
}

TEST_F(ProcessTerminals, ATerminalThatTheProgramOpensLaterIsItsOwnToo) {
  make_process(0);
  const ProcessTerminal program = terminal(1);
  open_file("3", "/dev/fb0");
  EXPECT_FALSE(program.is(7));
  open_file("4", "/dev/tty7");
  EXPECT_TRUE(program.is(7));
  EXPECT_TRUE(program.is(1));
}

TEST_F(ProcessTerminals, AProcessThatIsGoneStaysWhereItWas) {
  make_process(tty_major << 8 | 2);
  const ProcessTerminal program = terminal(1);
  std::filesystem::remove_all(folder.file("42"));
  EXPECT_TRUE(program.is(2));
  EXPECT_FALSE(program.is(1));
}
