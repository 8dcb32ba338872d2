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
  // A session of its own, and ignored signals, because the guard must outlive what ends the daemon.
  ::setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
  // A reader of the daemon's output gets its end when the daemon ends, because the guard closes its copies.
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
  // The write fails if the guard was killed, and then there is nothing to dismiss.
  static_cast<void>(::write(alive_.get(), &dismissed, 1));
  alive_.reset();
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
}

}  // namespace cuse
