#include "cuse/process_terminal.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "drmclient/terminals.h"

namespace cuse {
namespace {

constexpr unsigned tty_major = 4;
constexpr unsigned last_virtual_terminal = 63;

std::optional<unsigned> virtual_terminal(dev_t device) {
  const unsigned number = minor(device);
  if (major(device) != tty_major || number == 0 || number > last_virtual_terminal) return std::nullopt;
  return number;
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Whether a process has the device of the terminal open. The links are read and not followed: one of them
/// leads to the framebuffer, whose attributes only we can tell.
bool has_open(const std::string& process_folder, unsigned terminal) {
  const std::string device = "/dev/tty" + std::to_string(terminal);
  std::error_code ignored;
  const std::filesystem::directory_iterator files(process_folder + "/fd", ignored);
  return std::any_of(begin(files), end(files), [&](const auto& file) {
    std::error_code unreadable;
    return std::filesystem::read_symlink(file.path(), unreadable) == device;
  });
}

}  // namespace

std::optional<unsigned> controlling_terminal(const std::string& stat_line) {
  // The program's name, in parentheses, may hold anything.
  const size_t name_end = stat_line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat_line.substr(name_end + 1));
  char state = 0;
  int parent = 0;
  int group = 0;
  int session = 0;
  int terminal = 0;
  if (!(fields >> state >> parent >> group >> session >> terminal)) return std::nullopt;
  return virtual_terminal(static_cast<dev_t>(terminal));
}

ProcessTerminal::ProcessTerminal(pid_t process, const std::string& folder)
    : ProcessTerminal(process, folder, drmclient::terminal_in_front()) {}

ProcessTerminal::ProcessTerminal(pid_t process, const std::string& folder, std::optional<unsigned> front)
    : process_folder_(folder + "/" + std::to_string(process)), at_open_(front) {
  if (const auto own = controlling_terminal(first_line(process_folder_ + "/stat"))) at_open_ = own;
}

bool ProcessTerminal::is(unsigned front) const {
  return !at_open_ || at_open_ == front || has_open(process_folder_, front);
}

}  // namespace cuse
