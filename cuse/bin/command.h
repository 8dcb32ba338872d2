#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cuse {

/// The program that the daemon serves; the daemon ends when it ends.
class Command {
 public:
  /// Starts `words` with default signals, and with `environment` added to the daemon's. If that fails, logs
  /// the reason, and exit_status() is that of a shell: 127 if not found, 126 if not executable.
  Command(const std::vector<std::string>& words,
          const std::vector<std::pair<std::string, std::string>>& environment);
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command() = default;

  /// Returns the exit status once the program has ended (128 + N if signal N ended it). Does not block.
  [[nodiscard]] std::optional<int> exit_status();
  /// Sends a signal, unless the program has ended.
  void send(int signal);
  [[nodiscard]] pid_t process() const { return process_; }

 private:
  pid_t process_ = -1;
  std::optional<int> exit_status_;
};

}  // namespace cuse
