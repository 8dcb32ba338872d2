#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cuse {

/// A program that is served and whose end is the daemon's.
class Command {
 public:
  /// Starts `words` with `environment` added to ours, and with default signals. Where it cannot be started,
  /// exit_status() is that of a shell: 127 not found, 126 not executable; the reason is logged.
  Command(const std::vector<std::string>& words,
          const std::vector<std::pair<std::string, std::string>>& environment);
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command() = default;

  /// The exit status once it has ended (128 + N where signal N ended it). Does not block.
  [[nodiscard]] std::optional<int> exit_status();
  /// Sends a signal, unless it has ended.
  void send(int signal);
  [[nodiscard]] pid_t process() const { return process_; }

 private:
  pid_t process_ = -1;
  std::optional<int> exit_status_;
};

}  // namespace cuse
