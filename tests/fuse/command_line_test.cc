// What fbemud and fbemuctl say to command lines that make no sense.

#include <gtest/gtest.h>

#include "process.h"

namespace fuse_test {
namespace {

struct Garbage {
  std::string name;
  std::vector<std::string> words;
  std::string told;  ///< in the message
};

std::ostream& operator<<(std::ostream& stream, const Garbage& garbage) {
  return stream << garbage.name;
}

class GarbageTest : public testing::TestWithParam<Garbage> {};

TEST_P(GarbageTest, IsAUsageErrorThatNamesTheOption) {
  const Ended ended = run(GetParam().words);
  EXPECT_EQ(ended.exit_status, 2) << ended.errors;
  EXPECT_NE(ended.errors.find(GetParam().told), std::string::npos) << ended.errors;
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
    Daemon, GarbageTest,
    testing::Values(Garbage{"UnknownOption", daemon({"--colour", "blue"}), "--colour"},
                    Garbage{"UnknownLetter", daemon({"-q"}), "-q"},
                    Garbage{"ModeOfWords", daemon({"--mode", "large"}), "--mode"},
                    Garbage{"ModeOfNothing", daemon({"--mode", ""}), "--mode"},
                    Garbage{"ModeOf0", daemon({"--mode", "0x0"}), "--mode"},
                    Garbage{"ModeNegative", daemon({"--mode=-640x480"}), "--mode"},
                    Garbage{"ModeWithoutHeight", daemon({"--mode", "640x"}), "--mode"},
                    Garbage{"ModeWithMore", daemon({"--mode", "640x480@60x"}), "--mode"},
                    Garbage{"ModeTooLarge", daemon({"--mode", "99999999999x480"}), "--mode"},
                    Garbage{"ModeTooFast", daemon({"--mode", "640x480@1e9"}), "--mode"},
                    Garbage{"ModeOfNoRefresh", daemon({"--mode", "640x480@0"}), "--mode"},
                    Garbage{"ModeMissing", daemon({"--mode"}), "--mode"},
                    Garbage{"DepthOfWords", daemon({"--depth", "deep"}), "--depth"},
                    Garbage{"DepthThatIsNone", daemon({"--depth", "31"}), "--depth"},
                    Garbage{"VirtualOfWords", daemon({"--virtual", "twice"}), "--virtual"},
                    Garbage{"VirtualWithRefresh", daemon({"--virtual", "640x960@60"}), "--virtual"},
                    Garbage{"MappingThatIsNone", daemon({"--mapping", "dma-buf"}), "--mapping"},
                    Garbage{"DeviceMissing", daemon({"--device"}), "--device"},
                    Garbage{"CardMissing", daemon({"--card"}), "--card"},
                    Garbage{"NoCuseWithValue", daemon({"--no-cuse=maybe"}), "--no-cuse"}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(Control, GarbageTest,
                         testing::Values(Garbage{"Nothing", control({}), "subcommand"},
                                         Garbage{"UnknownCommand", control({"dance"}), "\"dance\""},
                                         Garbage{"UnknownOption", control({"status", "--xml"}), "--xml"},
                                         Garbage{"ScreenshotWithoutFile", control({"screenshot"}), "FILE"},
                                         Garbage{"ControlMissing", control({"--control"}), "--control"}),
                         [](const auto& tested) { return tested.param.name; });

TEST(CommandLineTest, HelpAndVersionAreWrittenToTheOutput) {
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

TEST(CommandLineTest, FbemuctlNamesTheSocketThatNobodyAnswers) {
  const Ended ended = run({FBEMUCTL_PATH, "--control", "/nowhere/socket", "status"});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_NE(ended.errors.find("/nowhere/socket"), std::string::npos) << ended.errors;
}

}  // namespace
}  // namespace fuse_test
