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

/// Longer than anything here takes; who waits longer hangs.
inline constexpr std::chrono::seconds hang_limit{20};

struct ProcessOptions {
  std::map<std::string, std::string> environment{};  ///< added to ours
  /// Runs in the child before the program does: other namespaces, other users. Returns false where that
  /// fails.
  std::function<bool()> prepare{};
  std::string input_file{};   ///< the standard input; otherwise written with send()
  std::string output_file{};  ///< the standard output; otherwise collected
};

/// A program that runs. It is killed at the end of this object.
class Process {
 public:
  explicit Process(const std::vector<std::string>& words, const ProcessOptions& options = {});
  Process(Process&&) = default;
  Process& operator=(Process&&) = delete;
  ~Process();

  [[nodiscard]] pid_t id() const { return id_; }
  void send(const std::string& text);
  void close_input() { input_.reset(); }
  /// The next line of its output, without the line end; nothing at the end of the output or where none came
  /// in time.
  [[nodiscard]] std::optional<std::string> read_line(std::chrono::milliseconds limit = hang_limit);
  void signal(int number) const;
  /// Waits until all of it has gone, collecting its output, and gives the status that waitpid(2) has; nothing
  /// where that took longer.
  [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds limit = hang_limit);
  [[nodiscard]] bool running();
  /// Readable once it has ended.
  [[nodiscard]] int descriptor() const { return handle_.get(); }
  /// What it wrote; all of it after wait().
  [[nodiscard]] const std::string& output() const { return output_; }
  [[nodiscard]] const std::string& errors() const { return errors_; }
  /// Takes what it has written until now.
  void collect();

 private:
  bool collect_until_event(std::chrono::steady_clock::time_point deadline);

  pid_t id_ = -1;
  base::UniqueFd handle_;  ///< a pidfd
  base::UniqueFd input_;
  base::UniqueFd output_pipe_;
  base::UniqueFd errors_pipe_;
  std::string output_;
  size_t lines_read_ = 0;  ///< bytes of output_
  std::string errors_;
  std::optional<int> status_;
};

/// How a program ended.
struct Ended {
  int exit_status = -1;  ///< 128 + N where signal N ended it; -1 where it had to be killed after the limit
  std::string output;
  std::string errors;
};

/// Runs a program to its end.
[[nodiscard]] Ended run(const std::vector<std::string>& words, const ProcessOptions& options = {},
                        std::chrono::milliseconds limit = hang_limit);

/// Waits until `condition` holds; false where it does not within the limit.
[[nodiscard]] bool eventually(const std::function<bool()>& condition,
                              std::chrono::milliseconds limit = hang_limit);

/// A handle of a process that need not be a child: readable once it has ended, as has one that does not
/// exist.
class ProcessHandle {
 public:
  explicit ProcessHandle(pid_t id);
  [[nodiscard]] bool ends_within(std::chrono::milliseconds limit) const;

 private:
  base::UniqueFd handle_;
};

/// Whether a program can be found in $PATH.
[[nodiscard]] bool is_installed(const std::string& program);

}  // namespace fuse_test
