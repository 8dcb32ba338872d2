#include "cuse/session/process_vt.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <system_error>

#include "base/result.h"
#include "base/unique_fd.h"
#include "drmclient/system/virtual_terminals.h"

namespace cuse {
namespace {

using base::failure;
using base::failure_from_errno;
using base::Result;

constexpr unsigned tty_major = 4;
constexpr unsigned last_vt = 63;

std::optional<unsigned> vt_number(dev_t device) {
  const unsigned number = minor(device);
  if (major(device) != tty_major || number == 0 || number > last_vt) return std::nullopt;
  return number;
}

/// Returns the contents of a file of procfs. Errors: those of open(2) and read(2).
Result<std::string> contents(const std::string& path) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return failure_from_errno();
  std::string text;
  std::array<char, 4096> part{};
  while (true) {
    const ssize_t size = ::read(file.get(), part.data(), part.size());
    if (size < 0) return failure_from_errno();
    if (size == 0) return text;
    text.append(part.data(), static_cast<size_t>(size));
  }
}

/// Returns field `number` (3 or more, as in proc(5)) of a /proc/PID/stat; nothing if it does not exist.
std::optional<int64_t> stat_field(const std::string& stat_line, int number) {
  constexpr int first_after_name = 3;
  // The program's name, in parentheses, may contain any character.
  const size_t name_end = stat_line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat_line.substr(name_end + 1));
  std::string skipped;
  for (int field = first_after_name; field < number; ++field) fields >> skipped;
  int64_t value = 0;
  if (!(fields >> value)) return std::nullopt;
  return value;
}

/// The result of a search in a table of descriptors.
struct Search {
  bool found = false;
  unsigned descriptors = 0;  ///< number of descriptors examined
};

/// Searches the descriptors in `folder` for `device`. The links are read but not followed: one of them leads
/// to the framebuffer, whose attributes come from this daemon.
Search search(const std::string& device, const std::string& folder, unsigned& budget) {
  Search result;
  std::error_code unreadable;  // the process may end in the meantime
  for (std::filesystem::directory_iterator file(folder, unreadable);
       !unreadable && file != std::filesystem::directory_iterator(); file.increment(unreadable)) {
    if (result.descriptors++ == ProcessVt::most_descriptors) break;
    if (budget > 0) --budget;
    std::error_code closed;
    result.found = std::filesystem::read_symlink(file->path(), closed) == device;
    if (result.found) break;
  }
  return result;
}

/// Searches a process whose main thread has ended. The other threads still have descriptors, and share them.
Search search_threads(const std::string& device, const std::string& process_folder, unsigned& budget) {
  std::error_code unreadable;
  for (std::filesystem::directory_iterator thread(process_folder + "/task", unreadable);
       !unreadable && budget > 0 && thread != std::filesystem::directory_iterator();
       thread.increment(unreadable)) {
    --budget;
    const Search result = search(device, thread->path().string() + "/fd", budget);
    if (result.descriptors > 0) return result;
  }
  return {};
}

std::string folder_of(pid_t process, const ProcessFiles& files) {
  return files.processes + "/" + std::to_string(process);
}

/// Returns the process of `thread`, with its controlling VT as home if it has one. Errors: those of
/// contents(), if there is no /proc; ENODATA for malformed text.
Result<fbemu::ProgramId> identify(pid_t thread, const ProcessFiles& files) {
  fbemu::ProgramId program;
  program.process = thread_group(BASE_TRY(contents(folder_of(thread, files) + "/status")));
  const std::string stat_line = BASE_TRY(contents(folder_of(program.process, files) + "/stat"));
  const auto started = start_time(stat_line);
  if (!started) return failure(ENODATA);
  program.start_time = *started;
  program.home = controlling_vt(stat_line);
  return program;
}

const ProcessFiles& kernel_files() {
  static const ProcessFiles files;
  return files;
}

}  // namespace

std::optional<unsigned> controlling_vt(const std::string& stat_line) {
  constexpr int tty_nr = 7;
  const auto device = stat_field(stat_line, tty_nr);
  return device ? vt_number(static_cast<dev_t>(*device)) : std::nullopt;
}

std::optional<uint64_t> start_time(const std::string& stat_line) {
  constexpr int starttime = 22;
  const auto ticks = stat_field(stat_line, starttime);
  return ticks ? std::optional(static_cast<uint64_t>(*ticks)) : std::nullopt;
}

pid_t thread_group(const std::string& status) {
  constexpr std::string_view name = "\nTgid:";
  const size_t line = status.find(name);
  pid_t process = 0;
  if (line != std::string::npos) std::istringstream(status.substr(line + name.size())) >> process;
  return process;
}

ProcessVt::ProcessVt(pid_t thread) : ProcessVt(thread, drmclient::active_vt(), kernel_files()) {}

ProcessVt::ProcessVt(pid_t thread, std::optional<unsigned> active_vt, const ProcessFiles& files)
    : files_(files) {
  // A process that cannot be identified stays unknown; its number is 0.
  if (thread != 0) program_ = identify(thread, files_).value_or(fbemu::ProgramId{});
  if (!program_.home) program_.home = active_vt;
}

std::string ProcessVt::folder() const {
  return folder_of(program_.process, files_);
}

bool ProcessVt::has_opened(unsigned vt, unsigned& budget) const {
  if (budget > 0) --budget;
  if (program_.process == 0) return false;
  const std::string device = files_.vt_prefix + std::to_string(vt);
  Search result = search(device, folder() + "/fd", budget);
  if (result.descriptors == 0) result = search_threads(device, folder(), budget);
  // The descriptors were those of this process only if the process still has its number.
  const auto stat_line = contents(folder() + "/stat");
  return result.found && stat_line && start_time(*stat_line) == program_.start_time;
}

}  // namespace cuse
