// A fault that a sanitizer has to report, in a child without a standard error, before both processes are
// killed. With an argument: first two tables of descriptors, in which ThreadSanitizer sees one; "both": then
// the fault as well.

#include <sched.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string_view>
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

/// Makes a descriptor in the table of another thread, and then uses its number in that of the calling thread.
bool use_two_tables() {
  const int event = ::eventfd(0, EFD_CLOEXEC);
  std::atomic<bool> made = false;
  std::thread other([&] {
    ::unshare(CLONE_FILES);
    ::close(event);
    const int same_number = ::dup(STDOUT_FILENO);  // a call without a suppression
    made.store(true, std::memory_order_relaxed);
    while (made.load(std::memory_order_relaxed)) ::sched_yield();
    ::close(same_number);
  });
  while (!made.load(std::memory_order_relaxed)) ::sched_yield();
  const uint64_t one = 1;
  const bool written = ::write(event, &one, sizeof one) == sizeof one;
  made.store(false, std::memory_order_relaxed);
  other.join();
  return written;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    const bool used = use_two_tables();
    if (std::string_view(argv[1]) == "both") commit_fault();
    return used ? 0 : 1;
  }
  if (::fork() == 0) {
    ::close(STDERR_FILENO);
    commit_fault();
    ::raise(SIGKILL);
  }
  ::wait(nullptr);
  ::raise(SIGKILL);
}
