#include "sanitizer_reports.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <system_error>

#include "picture.h"
#include "tests/support/tsan_suppressions.h"

namespace fuse_test {
namespace {

std::string with_option(const char* variable, const std::string& option) {
  const char* options = std::getenv(variable);
  return options == nullptr ? option : std::string(options) + ":" + option;
}

/// Suppression of a leak: libfuse keeps the mount point of an ordinary user until fuse_session_unmount(). The
/// daemon must not call that, because it detaches the mount itself.
constexpr const char* kept_by_libfuse = "leak:fuse_session_mount\n";

/// The line around each report of ThreadSanitizer.
constexpr std::string_view border = "==================";

/// Removes the reports of ThreadSanitizer about descriptors.
///
/// It assumes that all threads share one table of descriptors. The threads of a FUSE session have a table of
/// their own (unshare), so it reports calls for the same number in both tables. The suppressions do not cover
/// all of them: each names a function, and ThreadSanitizer may have lost the stack that has it.
std::string without_descriptors(const std::string& reports) {
  std::string kept;
  std::string report;
  bool inside = false;
  const auto end_report = [&] {
    if (report.find("Location is file descriptor ") == std::string::npos) kept += report;
    report.clear();
  };
  std::istringstream lines(reports);
  for (std::string line; std::getline(lines, line);) {
    if (inside || line == border) report += line + '\n';
    if (line == border) {
      if (inside) end_report();
      inside = !inside;
    } else if (!inside && !line.empty() && !line.starts_with("ThreadSanitizer: reported ")) {
      // A crash has no border.
      kept += line + '\n';
    }
  }
  end_report();  // of a process that was killed
  return kept;
}

}  // namespace

SanitizerReports::SanitizerReports() {
  folder_ = (std::filesystem::temp_directory_path() / "fbemu-reports-XXXXXX").string();
  if (::mkdtemp(folder_.data()) == nullptr) throw std::system_error(errno, std::generic_category(), folder_);
  ::chmod(folder_.c_str(), 01777);  // daemons of other users also write here
  const std::string reports = "log_path=" + folder_ + "/report:print_suppressions=0";
  for (const char* variable : {"ASAN_OPTIONS", "UBSAN_OPTIONS"}) {
    options_.emplace_back(variable, with_option(variable, reports));
  }
  options_.emplace_back("LSAN_OPTIONS",
                        with_option("LSAN_OPTIONS", reports + suppressions("leaks", kept_by_libfuse)));
  // The text of a report decides, and not the exit status of its program.
  options_.emplace_back(
      "TSAN_OPTIONS",
      with_option("TSAN_OPTIONS", reports + ":exitcode=0" +
                                      suppressions("races", std::string(unit::descriptor_suppressions))));
}

/// Writes a file of suppressions and returns the option that names it.
std::string SanitizerReports::suppressions(const std::string& name, const std::string& lines) const {
  const std::string file = folder_ + "/" + name;
  write_file(file, lines);
  ::chmod(file.c_str(), 0644);
  return ":suppressions=" + file;
}

SanitizerReports::~SanitizerReports() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string SanitizerReports::take() {
  std::string reports;
  for (const auto& file : std::filesystem::directory_iterator(folder_)) {
    if (!file.path().filename().string().starts_with("report")) continue;
    const std::string text = read_file(file.path());
    reports +=
        text.find("WARNING: ThreadSanitizer: ") == std::string::npos ? text : without_descriptors(text);
    std::filesystem::remove(file.path());
  }
  return reports;
}

void SanitizerReports::OnTestEnd(const testing::TestInfo& /*info*/) {
  const std::string reports = take();
  if (!reports.empty()) ADD_FAILURE() << "a sanitizer reported:\n" << reports;
}

ProcessOptions without_leak_check() {
  return {.environment = {{"ASAN_OPTIONS", with_option("ASAN_OPTIONS", "detect_leaks=0")}}};
}

}  // namespace fuse_test
