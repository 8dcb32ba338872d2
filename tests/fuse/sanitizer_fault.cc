// A fault that a sanitizer has to report, in a child without a standard error, before both processes are
// killed.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <thread>

namespace {

#if defined(__SANITIZE_THREAD__)
void commit_fault() {
  int unlocked = 0;
  std::thread one([&] { ++unlocked; });
  std::thread other([&] { ++unlocked; });
  one.join();
  other.join();
}
#else
void commit_fault() {
  auto number = std::make_unique<volatile int>(1);
  const volatile int* stale = number.get();
  number.reset();
  static_cast<void>(*stale);
}
#endif

}  // namespace

int main() {
  if (::fork() == 0) {
    ::close(STDERR_FILENO);
    commit_fault();
    ::raise(SIGKILL);
  }
  ::wait(nullptr);
  ::raise(SIGKILL);
}
