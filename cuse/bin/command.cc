#include "cuse/bin/command.h"

#include <spawn.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace cuse {
namespace {

constexpr int not_executable = 126;
constexpr int not_found = 127;
constexpr int ended_by_signal = 128;

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> merged_environment(const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    bool replaced = false;
    for (const auto& [name, value] : added) replaced = replaced || text.starts_with(name + "=");
    if (!replaced) merged.emplace_back(text);
  }
  for (const auto& [name, value] : added) {
    std::string variable = name;
    variable.append("=").append(value);
    merged.push_back(std::move(variable));
  }
  return merged;
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

/// Returns true if `program` exists, as a path or in a folder of PATH. posix_spawnp(3) cannot be asked: a
/// folder that may not be searched makes it return EACCES for a missing program; a shell says "not found".
bool is_found(const std::string& program) {
  if (program.find('/') != std::string::npos) return true;
  const char* variable = std::getenv("PATH");
  std::string_view folders = variable != nullptr ? variable : "/bin:/usr/bin";  // the default of execvp(3)
  while (true) {
    const size_t end = folders.find(':');
    std::string path(folders.substr(0, end));
    if (!path.empty()) path += '/';
    path += program;
    if (exists(path)) return true;
    if (end == std::string_view::npos) return false;
    folders.remove_prefix(end + 1);
  }
}

}  // namespace

Command::Command(const std::vector<std::string>& words,
                 const std::vector<std::pair<std::string, std::string>>& environment) {
  std::vector<std::string> arguments = words;
  std::vector<std::string> variables = merged_environment(environment);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  int error = ::posix_spawnp(&process_, arguments.front().c_str(), nullptr, &attributes,
                             pointers_to(arguments).data(), pointers_to(variables).data());
  posix_spawnattr_destroy(&attributes);
  if (error == EACCES && !is_found(words.front())) error = ENOENT;
  if (error != 0) {
    process_ = -1;
    exit_status_ = error == ENOENT ? not_found : not_executable;
    spdlog::error("cannot run {}: {}", words.front(), std::generic_category().message(error));
  }
}

std::optional<int> Command::exit_status() {
  if (exit_status_) return exit_status_;
  // The process may also be stopped by ProgramFreezer. waitid(2) reports that to all threads of this process,
  // and WNOWAIT leaves it to the one that traces.
  siginfo_t event{};
  if (::waitid(P_PID, static_cast<id_t>(process_), &event, WEXITED | WNOHANG | WNOWAIT) != 0)
    return std::nullopt;
  const bool ended =
      event.si_code == CLD_EXITED || event.si_code == CLD_KILLED || event.si_code == CLD_DUMPED;
  int status = 0;
  if (!ended || ::waitpid(process_, &status, WNOHANG) != process_) return std::nullopt;
  exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : ended_by_signal + WTERMSIG(status);
  return exit_status_;
}

void Command::send(int signal) {
  if (!exit_status()) ::kill(process_, signal);
}

}  // namespace cuse
