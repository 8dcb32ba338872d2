#include "process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <thread>

namespace fuse_test {
namespace {

using base::UniqueFd;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int cannot_run = 127;
constexpr int ended_by_signal = 128;

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UniqueFd open_handle(pid_t id) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, id, 0)));
}

int milliseconds_to(steady_clock::time_point deadline) {
  return static_cast<int>(std::max<milliseconds::rep>(
      std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count(), 0));
}

/// Appends the readable bytes to `text`; closes the pipe at its end.
void take(UniqueFd& pipe, std::string& text) {
  std::array<char, 65536> bytes{};
  while (pipe) {
    const ssize_t size = ::read(pipe.get(), bytes.data(), bytes.size());
    if (size > 0) {
      text.append(bytes.data(), static_cast<size_t>(size));
    } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
      pipe.reset();
    } else {
      return;
    }
  }
}

void redirect(const std::string& file, int flags, int to) {
  const int descriptor = ::open(file.c_str(), flags, 0644);
  if (descriptor < 0) ::_exit(cannot_run);
  ::dup2(descriptor, to);
}

[[noreturn]] void become(const std::vector<std::string>& words, const ProcessOptions& options) {
  ::signal(SIGPIPE, SIG_DFL);
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);  // descriptors inherited from the test's parent
  for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
  if (options.prepare && !options.prepare()) ::_exit(cannot_run);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // after prepare(), because a change of user clears it
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::dprintf(STDERR_FILENO, "cannot run %s: %s\n", arguments[0], std::strerror(errno));
  ::_exit(cannot_run);
}

}  // namespace

Process::Process(const std::vector<std::string>& words, const ProcessOptions& options) {
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  Pipe errors = make_pipe();
  id_ = ::fork();
  if (id_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (id_ == 0) {
    ::dup2(input.read_end.get(), STDIN_FILENO);
    ::dup2(output.write_end.get(), STDOUT_FILENO);
    ::dup2(errors.write_end.get(), STDERR_FILENO);
    if (!options.input_file.empty()) redirect(options.input_file, O_RDONLY | O_CLOEXEC, STDIN_FILENO);
    if (!options.output_file.empty()) {
      redirect(options.output_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, STDOUT_FILENO);
    }
    become(words, options);
  }
  handle_ = open_handle(id_);
  input_ = std::move(input.write_end);
  output_pipe_ = std::move(output.read_end);
  errors_pipe_ = std::move(errors.read_end);
  for (const UniqueFd* pipe : {&output_pipe_, &errors_pipe_}) ::fcntl(pipe->get(), F_SETFL, O_NONBLOCK);
}

Process::~Process() {
  if (!handle_ || status_) return;
  signal(SIGKILL);
  static_cast<void>(wait());
}

void Process::send(const std::string& text) {
  ::signal(SIGPIPE, SIG_IGN);
  static_cast<void>(::write(input_.get(), text.data(), text.size()));
}

void Process::signal(int number) const {
  if (!status_) ::kill(id_, number);
}

void Process::collect() {
  take(output_pipe_, output_);
  take(errors_pipe_, errors_);
}

/// Waits for output or the end, and collects the output. Returns false at the deadline.
bool Process::collect_until_event(steady_clock::time_point deadline) {
  std::array<pollfd, 3> events{{{handle_.get(), POLLIN, 0},
                                {output_pipe_ ? output_pipe_.get() : -1, POLLIN, 0},
                                {errors_pipe_ ? errors_pipe_.get() : -1, POLLIN, 0}}};
  const bool happened = ::poll(events.data(), events.size(), milliseconds_to(deadline)) > 0;
  collect();
  return happened;
}

std::optional<std::string> Process::read_line(milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  for (;;) {
    collect();
    if (const size_t end = output_.find('\n', lines_read_); end != std::string::npos) {
      std::string line = output_.substr(lines_read_, end - lines_read_);
      lines_read_ = end + 1;
      return line;
    }
    if (!output_pipe_ || !collect_until_event(deadline)) return std::nullopt;
  }
}

std::optional<int> Process::wait(milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (!status_) {
    pollfd ended{handle_.get(), POLLIN, 0};
    if (::poll(&ended, 1, 0) > 0) {
      int status = 0;
      if (::waitpid(id_, &status, 0) == id_) status_ = status;
      collect();
      break;
    }
    if (!collect_until_event(deadline)) return std::nullopt;
  }
  return status_;
}

bool Process::running() {
  return !wait(0ms).has_value();
}

Ended run(const std::vector<std::string>& words, const ProcessOptions& options, milliseconds limit) {
  Process process(words, options);
  process.close_input();
  const std::optional<int> status = process.wait(limit);
  Ended ended;
  if (status)
    ended.exit_status = WIFEXITED(*status) ? WEXITSTATUS(*status) : ended_by_signal + WTERMSIG(*status);
  ended.output = process.output();
  ended.errors = process.errors();
  return ended;
}

bool eventually(const std::function<bool()>& condition, milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (!condition()) {
    if (steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(1ms);  // between two checks
  }
  return true;
}

ProcessHandle::ProcessHandle(pid_t id) : handle_(open_handle(id)) {}

bool ProcessHandle::ends_within(milliseconds limit) const {
  if (!handle_) return true;
  pollfd ended{handle_.get(), POLLIN, 0};
  return ::poll(&ended, 1, static_cast<int>(limit.count())) > 0;
}

bool is_installed(const std::string& program) {
  return run({"sh", "-c", "command -v " + program}).exit_status == 0;
}

}  // namespace fuse_test
