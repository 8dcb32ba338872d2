#include "cuse/session/process_vt.h"

#include <sys/sysmacros.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <system_error>

#include "drmclient/system/virtual_terminals.h"

namespace cuse {
namespace {

constexpr unsigned tty_major = 4;
constexpr unsigned last_virtual_terminal = 63;

std::optional<unsigned> virtual_terminal(dev_t device) {
  const unsigned number = minor(device);
  if (major(device) != tty_major || number == 0 || number > last_virtual_terminal) return std::nullopt;
  return number;
}

/// The whole of a file of procfs; empty if it cannot be read.
std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Field `number` of a /proc/PID/stat, counted as in proc(5) from 3 on; nothing if there is none.
std::optional<int64_t> stat_field(const std::string& stat_line, int number) {
  constexpr int first_after_name = 3;
  // The program's name, in parentheses, may hold anything.
  const size_t name_end = stat_line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat_line.substr(name_end + 1));
  std::string skipped;
  for (int field = first_after_name; field < number; ++field) fields >> skipped;
  int64_t value = 0;
  if (!(fields >> value)) return std::nullopt;
  return value;
}

/// What a table of descriptors holds of a device.
struct Look {
  bool found = false;
  unsigned descriptors = 0;  ///< that were looked at
};

/// Looks for `device` among the descriptors in `folder`. The links are read and not followed: one of them
/// leads to the framebuffer, whose attributes only this daemon can tell.
Look look_for(const std::string& device, const std::string& folder, unsigned& budget) {
  Look look;
  std::error_code unreadable;  // the process may end meanwhile
  for (std::filesystem::directory_iterator file(folder, unreadable);
       !unreadable && file != std::filesystem::directory_iterator(); file.increment(unreadable)) {
    if (look.descriptors++ == ProcessVt::most_descriptors) break;
    if (budget > 0) --budget;
    std::error_code closed;
    look.found = std::filesystem::read_symlink(file->path(), closed) == device;
    if (look.found) break;
  }
  return look;
}

/// As look_for(), in the process whose main thread has ended while others go on: only those have descriptors
/// then, and they share them.
Look look_in_threads(const std::string& device, const std::string& process_folder, unsigned& budget) {
  std::error_code unreadable;
  for (std::filesystem::directory_iterator thread(process_folder + "/task", unreadable);
       !unreadable && budget > 0 && thread != std::filesystem::directory_iterator();
       thread.increment(unreadable)) {
    --budget;
    const Look look = look_for(device, thread->path().string() + "/fd", budget);
    if (look.descriptors > 0) return look;
  }
  return {};
}

const ProcessFiles& kernel_files() {
  static const ProcessFiles files;
  return files;
}

}  // namespace

std::optional<unsigned> controlling_terminal(const std::string& stat_line) {
  constexpr int tty_nr = 7;
  const auto device = stat_field(stat_line, tty_nr);
  return device ? virtual_terminal(static_cast<dev_t>(*device)) : std::nullopt;
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

ProcessVt::ProcessVt(pid_t thread, std::optional<unsigned> front, const ProcessFiles& files) : files_(files) {
  program_.home = front;
  if (thread == 0) return;
  program_.process = thread_group(contents(files_.processes + "/" + std::to_string(thread) + "/status"));
  const std::string stat_line = contents(folder() + "/stat");
  const auto started = start_time(stat_line);
  // Without /proc the process stays unknown.
  program_.process = started ? program_.process : 0;
  program_.start_time = started.value_or(0);
  if (const auto own = controlling_terminal(stat_line)) program_.home = own;
}

std::string ProcessVt::folder() const {
  return files_.processes + "/" + std::to_string(program_.process);
}

bool ProcessVt::has_opened(unsigned terminal, unsigned& budget) const {
  if (budget > 0) --budget;
  if (program_.process == 0) return false;
  const std::string device = files_.terminal_prefix + std::to_string(terminal);
  Look look = look_for(device, folder() + "/fd", budget);
  if (look.descriptors == 0) look = look_in_threads(device, folder(), budget);
  // What was read is of this process only if that has its number still.
  return look.found && start_time(contents(folder() + "/stat")) == program_.start_time;
}

}  // namespace cuse
