#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace fuse_test {

using namespace std::chrono_literals;

/// Timeout for hangs; longer than any operation in these tests.
inline constexpr std::chrono::seconds hang_limit{20};

struct ProcessOptions {
  std::map<std::string, std::string> environment{};  ///< additional variables
  /// Prepares the child before the program runs, as with another namespace or user. Returns false on failure.
  std::function<bool()> prepare{};
  std::string input_file{};   ///< the standard input; empty: send() writes it
  std::string output_file{};  ///< the standard output; empty: it is collected
};

/// A running program. The destructor kills it.
class Process {
 public:
  explicit Process(const std::vector<std::string>& words, const ProcessOptions& options = {});
  Process(Process&&) = default;
  Process& operator=(Process&&) = delete;
  ~Process();

  [[nodiscard]] pid_t id() const { return id_; }
  void send(const std::string& text);
  void close_input() { input_.reset(); }
  /// Returns the next line of its output, without the line end; nothing at the end of the output or at the
  /// limit.
  [[nodiscard]] std::optional<std::string> read_line(std::chrono::milliseconds limit = hang_limit);
  void signal(int number) const;
  /// Waits for the end of all its threads and collects its output. Returns the status of waitpid(2); nothing
  /// at the limit.
  [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds limit = hang_limit);
  [[nodiscard]] bool running();
  /// Returns a descriptor that is readable after the end.
  [[nodiscard]] int descriptor() const { return handle_.get(); }
  /// Returns the collected output; all of it after wait().
  [[nodiscard]] const std::string& output() const { return output_; }
  [[nodiscard]] const std::string& errors() const { return errors_; }
  /// Collects its output until now.
  void collect();

 private:
  bool collect_until_event(std::chrono::steady_clock::time_point deadline);

  pid_t id_ = -1;
  base::UniqueFd handle_;  ///< its pidfd
  base::UniqueFd input_;
  base::UniqueFd output_pipe_;
  base::UniqueFd errors_pipe_;
  std::string output_;
  size_t lines_read_ = 0;  ///< bytes of output_ that read_line() returned
  std::string errors_;
  std::optional<int> status_;
};

/// The end of a program.
struct Ended {
  int exit_status = -1;  ///< 128 + N if signal N ended it; -1 if it was killed at the limit
  std::string output;
  std::string errors;
};

/// Runs a program to its end.
[[nodiscard]] Ended run(const std::vector<std::string>& words, const ProcessOptions& options = {},
                        std::chrono::milliseconds limit = hang_limit);

/// Waits until `condition` holds. Returns false if it does not hold within the limit.
[[nodiscard]] bool eventually(const std::function<bool()>& condition,
                              std::chrono::milliseconds limit = hang_limit);

/// A handle of any process, also one that is not a child. A process that does not exist counts as ended.
class ProcessHandle {
 public:
  explicit ProcessHandle(pid_t id);
  [[nodiscard]] bool ends_within(std::chrono::milliseconds limit) const;

 private:
  base::UniqueFd handle_;
};

/// Returns true if a program is found in $PATH.
[[nodiscard]] bool is_installed(const std::string& program);

}  // namespace fuse_test
