#include "cuse/process_memory.h"

#include <spdlog/spdlog.h>
#include <sys/uio.h>

#include <atomic>
#include <cerrno>

namespace cuse {
namespace {

/// The errno for a program that cannot be served, with one line in the log.
int unreachable(pid_t thread, int error) {
  static std::atomic_flag told_of_namespace;
  static std::atomic_flag told_of_permission;
  if (thread == 0) {
    if (!told_of_namespace.test_and_set()) {
      spdlog::warn(
          "a program in another pid namespace (a container) asks for an ioctl, and its memory cannot be "
          "reached; run "
          "fbemud in that namespace or in one above it");
    }
    return EPERM;
  }
  if (!told_of_permission.test_and_set()) {
    spdlog::warn(
        "the memory of process {} cannot be reached: {}; without root only programs of the same user can be "
        "served, and "
        "where kernel.yama.ptrace_scope is not 0 only those started by \"fbemud -- COMMAND\"",
        thread, std::generic_category().message(error));
  }
  return EPERM;
}

using Transfer = ssize_t (*)(pid_t, const iovec*, unsigned long, const iovec*, unsigned long, unsigned long);

int transfer(Transfer call, pid_t thread, void* ours, uint64_t theirs, size_t size) {
  if (size == 0) return 0;
  if (thread == 0) return unreachable(thread, 0);
  const iovec local{ours, size};
  // An address of the program's, never used as a pointer here.
  const iovec remote{reinterpret_cast<void*>(theirs), size};  // NOLINT(performance-no-int-to-ptr)
  const ssize_t moved = call(thread, &local, 1, &remote, 1, 0);
  if (moved == static_cast<ssize_t>(size)) return 0;
  if (moved < 0 && (errno == EPERM || errno == ESRCH || errno == ENOSYS)) return unreachable(thread, errno);
  return EFAULT;
}

}  // namespace

int ProcessMemory::read(uint64_t address, std::span<std::byte> into) {
  return transfer(&::process_vm_readv, thread_, into.data(), address, into.size());
}

int ProcessMemory::write(uint64_t address, std::span<const std::byte> from) {
  // process_vm_writev() reads from our side; its interface has no const.
  return transfer(&::process_vm_writev, thread_, const_cast<std::byte*>(from.data()), address, from.size());
}

}  // namespace cuse
