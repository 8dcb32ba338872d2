#include "cuse/keeper/guard.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace cuse {
namespace {

constexpr char dismissed = 'd';

[[noreturn]] void stand_guard(int pipe, const std::function<void()>& clean_up) {
  ::prctl(PR_SET_NAME, "fbemud-guard");
  // A process group of its own and deaf ears: what ends the daemon must not end its guard.
  ::setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
  // Whoever reads the daemon's output to its end does not wait for us.
  if (const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC); null >= 0) {
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
  }
  char message = 0;
  ssize_t size = 0;
  do {
    size = ::read(pipe, &message, 1);
  } while (size < 0 && errno == EINTR);
  if (size != 1 || message != dismissed) clean_up();
  ::_exit(0);
}

}  // namespace

Guard::Guard(const std::function<void()>& clean_up) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  base::UniqueFd read_end(ends[0]);
  alive_.reset(ends[1]);
  process_ = ::fork();
  if (process_ < 0) throw std::system_error(errno, std::generic_category(), "cannot start the guard process");
  if (process_ == 0) {
    alive_.reset();
    stand_guard(read_end.get(), clean_up);
  }
}

Guard::~Guard() {
  dismiss();
}

void Guard::dismiss() {
  if (process_ < 0) return;
  // It may have been killed: then there is no one to tell.
  static_cast<void>(::write(alive_.get(), &dismissed, 1));
  alive_.reset();
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
}

}  // namespace cuse
