#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <string>

#include "base/unique_fd.h"

namespace unit {

/// A pipe between processes.
struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    out.reset(ends[0]);
    in.reset(ends[1]);
  }
  void put(char byte) const { EXPECT_EQ(::write(in.get(), &byte, 1), 1); }
  /// Returns the next byte; 0 if all writers have closed the pipe.
  [[nodiscard]] char get() const {
    char byte = 0;
    return ::read(out.get(), &byte, 1) == 1 ? byte : '\0';
  }
  base::UniqueFd out;
  base::UniqueFd in;
};

/// A fork of this process that runs `body` and exits with its result.
class ChildProcess {
 public:
  explicit ChildProcess(const std::function<int()>& body) : process_(::fork()) {
    if (process_ == 0) ::_exit(body());
    EXPECT_GT(process_, 0);
  }
  ~ChildProcess() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    static_cast<void>(wait());
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t process() const { return process_; }
  void kill() {
    ::kill(process_, SIGKILL);
    static_cast<void>(wait());
  }
  /// Waits for the end. Returns the exit status, or -1 if a signal ended the process.
  int wait() {
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t process_;
};

/// Waits in a child process until it is killed.
[[noreturn]] inline void wait_to_be_killed() {
  for (;;) ::pause();
}

}  // namespace unit
