// Invalid command lines of fbemud and fbemuctl.

#include <gtest/gtest.h>

#include "process.h"

namespace fuse_test {
namespace {

struct InvalidLine {
  std::string name;
  std::vector<std::string> words;
  std::string named;  ///< text in the message
};

std::ostream& operator<<(std::ostream& stream, const InvalidLine& line) {
  return stream << line.name;
}

class InvalidLineTest : public testing::TestWithParam<InvalidLine> {};

TEST_P(InvalidLineTest, InvalidLineIsUsageErrorThatNamesOption) {
  const Ended ended = run(GetParam().words);
  EXPECT_EQ(ended.exit_status, 2) << ended.errors;
  EXPECT_NE(ended.errors.find(GetParam().named), std::string::npos) << ended.errors;
  EXPECT_EQ(ended.output, "");
}

std::vector<std::string> daemon(std::vector<std::string> words) {
  words.insert(words.begin(), FBEMUD_PATH);
  return words;
}
std::vector<std::string> control(std::vector<std::string> words) {
  words.insert(words.begin(), FBEMUCTL_PATH);
  return words;
}

INSTANTIATE_TEST_SUITE_P(
    Daemon, InvalidLineTest,
    testing::Values(InvalidLine{"UnknownOption", daemon({"--colour", "blue"}), "--colour"},
                    InvalidLine{"UnknownLetter", daemon({"-q"}), "-q"},
                    InvalidLine{"ModeIsText", daemon({"--mode", "large"}), "--mode"},
                    InvalidLine{"ModeIsEmpty", daemon({"--mode", ""}), "--mode"},
                    InvalidLine{"ModeIsZero", daemon({"--mode", "0x0"}), "--mode"},
                    InvalidLine{"ModeIsNegative", daemon({"--mode=-640x480"}), "--mode"},
                    InvalidLine{"ModeWithoutHeight", daemon({"--mode", "640x"}), "--mode"},
                    InvalidLine{"ModeWithTrailingText", daemon({"--mode", "640x480@60x"}), "--mode"},
                    InvalidLine{"ModeTooLarge", daemon({"--mode", "99999999999x480"}), "--mode"},
                    InvalidLine{"ModeTooFast", daemon({"--mode", "640x480@1e9"}), "--mode"},
                    InvalidLine{"ModeWithZeroRefresh", daemon({"--mode", "640x480@0"}), "--mode"},
                    InvalidLine{"ModeWithoutValue", daemon({"--mode"}), "--mode"},
                    InvalidLine{"DepthIsText", daemon({"--depth", "deep"}), "--depth"},
                    InvalidLine{"UnknownDepth", daemon({"--depth", "31"}), "--depth"},
                    InvalidLine{"VirtualIsText", daemon({"--virtual", "twice"}), "--virtual"},
                    InvalidLine{"VirtualWithRefresh", daemon({"--virtual", "640x960@60"}), "--virtual"},
                    InvalidLine{"UnknownMapping", daemon({"--mapping", "dma-buf"}), "--mapping"},
                    InvalidLine{"DeviceWithoutValue", daemon({"--device"}), "--device"},
                    InvalidLine{"CardWithoutValue", daemon({"--card"}), "--card"},
                    InvalidLine{"NoCuseWithValue", daemon({"--no-cuse=maybe"}), "--no-cuse"}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Control, InvalidLineTest,
    testing::Values(InvalidLine{"Empty", control({}), "subcommand"},
                    InvalidLine{"UnknownCommand", control({"dance"}), "\"dance\""},
                    InvalidLine{"UnknownOption", control({"status", "--xml"}), "--xml"},
                    InvalidLine{"ScreenshotWithoutFile", control({"screenshot"}), "FILE"},
                    InvalidLine{"ControlWithoutValue", control({"--control"}), "--control"}),
    [](const auto& tested) { return tested.param.name; });

TEST(CommandLineTest, HelpAndVersionGoToStandardOutput) {
  for (const char* program : {FBEMUD_PATH, FBEMUCTL_PATH}) {
    const Ended help = run({program, "--help"});
    EXPECT_EQ(help.exit_status, 0);
    EXPECT_NE(help.output.find("--control"), std::string::npos) << help.output;
    EXPECT_EQ(help.errors, "");
    const Ended version = run({program, "--version"});
    EXPECT_EQ(version.exit_status, 0);
    EXPECT_NE(version.output.find(FBEMU_VERSION), std::string::npos) << version.output;
  }
}

TEST(CommandLineTest, FbemuctlWithoutDaemonNamesSocket) {
  const Ended ended = run({FBEMUCTL_PATH, "--control", "/nowhere/socket", "status"});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_NE(ended.errors.find("/nowhere/socket"), std::string::npos) << ended.errors;
}

}  // namespace
}  // namespace fuse_test
