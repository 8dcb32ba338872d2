#include "cuse/session/process_memory.h"

#include <spdlog/spdlog.h>
#include <sys/uio.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>

#include "base/result.h"

namespace cuse {
namespace {

using base::failure;
using base::Result;

/// Returns EPERM for a program whose memory is not accessible, and logs each of the two causes once.
Result<void> unreachable(pid_t thread, int error) {
  static std::atomic_flag namespace_logged;
  static std::atomic_flag permission_logged;
  if (thread == 0) {
    if (!namespace_logged.test_and_set()) {
      spdlog::warn(
          "a program in another pid namespace (a container) called ioctl(2), and its memory is not "
          "accessible; run fbemud in that namespace or in one above it");
    }
    return failure(EPERM);
  }
  if (!permission_logged.test_and_set()) {
    spdlog::warn("the memory of process {} is not accessible: {}", thread,
                 explain_refusal(error, has_ptrace_right()));
  }
  return failure(EPERM);
}

using Transfer = ssize_t (*)(pid_t, const iovec*, unsigned long, const iovec*, unsigned long, unsigned long);

/// Copies between the program and `buffer`. Errors: as of UserMemory::read().
Result<void> transfer(Transfer call, pid_t thread, void* buffer, uint64_t address, size_t size) {
  if (size == 0) return {};
  if (thread == 0) return unreachable(thread, 0);
  const iovec local{buffer, size};
  // An address in the program, never used as a pointer here.
  const iovec remote{reinterpret_cast<void*>(address), size};  // NOLINT(performance-no-int-to-ptr)
  const ssize_t moved = call(thread, &local, 1, &remote, 1, 0);
  if (moved == static_cast<ssize_t>(size)) return {};
  if (moved < 0 && (errno == EPERM || errno == ESRCH || errno == ENOSYS)) return unreachable(thread, errno);
  return failure(EFAULT);
}

}  // namespace

std::string explain_refusal(int error, bool has_ptrace_right, const std::string& yama_scope_file) {
  const std::string message = std::generic_category().message(error);
  if (error == ESRCH) return message + "; the process has ended";
  if (error == ENOSYS) {
    return message +
           "; the kernel (CONFIG_CROSS_MEMORY_ATTACH) or a container's seccomp filter has no "
           "process_vm_readv";
  }
  int scope = 0;
  std::ifstream(yama_scope_file) >> scope;
  const std::string yama = "kernel.yama.ptrace_scope is " + std::to_string(scope);
  if (scope == 3) {
    return message + "; " + yama +
           ", which forbids it to everyone, root too: set it to 2 or less in /etc/sysctl.d "
           "and boot again, because a running system cannot lower it";
  }
  if (has_ptrace_right) {
    return message +
           "; fbemud has CAP_SYS_PTRACE, so the program is in another user namespace, or a security module "
           "(AppArmor, SELinux's deny_ptrace) forbids it: run fbemud in the program's user namespace or in "
           "one above it, or allow it in the module's policy";
  }
  const std::string with_right = "run fbemud as root (in a container: with --cap-add SYS_PTRACE)";
  if (scope == 2) {
    return message + "; " + yama + ", which requires CAP_SYS_PTRACE: " + with_right +
           ", or set it to 1 and start the program by \"fbemud -- COMMAND\"";
  }
  if (scope == 1) {
    return message + "; " + yama +
           ", so without CAP_SYS_PTRACE only programs started by \"fbemud -- COMMAND\" are "
           "served: start it that way, or " +
           with_right + ", or set it to 0";
  }
  return message +
         "; without CAP_SYS_PTRACE only programs of the same user are served, and no set-uid ones: " +
         with_right;
}

bool has_ptrace_right() {
  constexpr unsigned sys_ptrace = 19;  // CAP_SYS_PTRACE
  std::ifstream status("/proc/thread-self/status");
  const std::string name = "CapEff:";
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name))
      return (std::stoull(line.substr(name.size()), nullptr, 16) >> sys_ptrace & 1U) != 0;
  }
  return false;
}

Result<void> ProcessMemory::read(uint64_t address, std::span<std::byte> into) {
  return transfer(&::process_vm_readv, thread_, into.data(), address, into.size());
}

Result<void> ProcessMemory::write(uint64_t address, std::span<const std::byte> from) {
  // process_vm_writev() only reads the local side; its interface has no const.
  return transfer(&::process_vm_writev, thread_, const_cast<std::byte*>(from.data()), address, from.size());
}

}  // namespace cuse
