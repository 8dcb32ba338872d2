#include "cuse/service/thread_status.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "base/text_file.h"
#include "base/unique_fd.h"

namespace cuse {
namespace {

/// Returns the value of a line "NAME:\tVALUE"; empty if the line is missing.
std::string_view value_of(std::string_view text, std::string_view name) {
  const size_t line = text.find(name);
  if (line == std::string_view::npos) return {};
  text.remove_prefix(line + name.size());
  return text.substr(0, text.find('\n'));
}

/// Returns the number in a line "NAME:\tNUMBER"; 0 if the line is missing.
pid_t number_of(std::string_view text, std::string_view name) {
  const std::string_view value = value_of(text, name);
  pid_t number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

}  // namespace

std::optional<ThreadStatus> read_thread_status(pid_t thread) noexcept {
  std::array<char, 32> path{};
  std::snprintf(path.data(), path.size(), "/proc/%d/status", thread);
  const base::UniqueFd file(::open(path.data(), O_RDONLY | O_CLOEXEC));
  // The lines are among the first ten; the name of the thread, which comes before them, is escaped.
  std::array<char, 1024> bytes{};
  const ssize_t size = file ? ::read(file.get(), bytes.data(), bytes.size()) : -1;
  if (size <= 0) return std::nullopt;
  const std::string_view text(bytes.data(), static_cast<size_t>(size));
  const std::string_view state = value_of(text, "\nState:\t");
  if (state.empty()) return std::nullopt;
  return ThreadStatus{state.front(), number_of(text, "\nTgid:\t"), number_of(text, "\nPPid:\t"),
                      number_of(text, "\nTracerPid:\t")};
}

std::string process_name(pid_t process) {
  std::string name = base::first_line("/proc/" + std::to_string(process) + "/comm");
  if (name.empty()) return "unknown";
  std::ranges::replace_if(
      name, [](char character) { return character < ' ' || character > '~'; }, '?');
  return name;
}

}  // namespace cuse
