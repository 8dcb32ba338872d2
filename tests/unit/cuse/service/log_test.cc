#include "cuse/service/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/child_process.h"
#include "tests/support/temporary_folder.h"

namespace {

/// Runs a program that logs one message of each level. Returns its standard error.
std::string logged(bool verbose, bool as_journal) {
  const unit::TemporaryFolder folder;
  const std::string path = folder.file("log");
  unit::ChildProcess program([&] {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ::dup2(file, STDERR_FILENO);
    struct stat status {};
    ::fstat(file, &status);
    const std::string stream = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
    ::setenv("JOURNAL_STREAM", as_journal ? stream.c_str() : "1:1", 1);
    cuse::start_logging(verbose);
    spdlog::error("e {}", 1);
    spdlog::warn("w");
    spdlog::info("i");
    spdlog::debug("d");
    return 0;
  });
  EXPECT_EQ(program.wait(), 0);
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST(Log, LevelsAreWordsWithoutAJournal) {
  EXPECT_EQ(logged(false, false), "fbemud: error: e 1\nfbemud: warning: w\nfbemud: info: i\n");
}

TEST(Log, LevelsArePrefixesForTheJournal) {
  EXPECT_EQ(logged(false, true), "<3>e 1\n<4>w\n<6>i\n");
}

TEST(Log, VerboseLogHasDebugMessages) {
  EXPECT_EQ(logged(true, true), "<3>e 1\n<4>w\n<6>i\n<7>d\n");
}
