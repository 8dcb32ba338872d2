#pragma once

#include <sys/types.h>

#include <string>

#include "fbemu/frontend/user_memory.h"

namespace cuse {

/// The setting of Yama, the security module that restricts access to other processes' memory.
inline constexpr const char* yama_file = "/proc/sys/kernel/yama/ptrace_scope";

/// Returns the sentence for the log after process_vm_readv(2) failed with `error`: the cause and the remedy.
/// The cause follows from the setting in `yama_scope_file` and the rights of this process.
[[nodiscard]] std::string explain_refusal(int error, bool has_ptrace_right,
                                          const std::string& yama_scope_file = yama_file);

/// Returns true if this process has CAP_SYS_PTRACE in its user namespace.
[[nodiscard]] bool has_ptrace_right();

/// The memory of the thread whose request is being answered, through process_vm_readv(2).
///
/// Once the daemon has read a thread's request, the thread waits for the answer, and even SIGKILL does not
/// end that wait (request_wait_answer() in fs/fuse/dev.c). So its id is not reused in the meantime. The calls
/// may block for as long as the program wants, because it may itself serve a page of its memory. So they run
/// on threads that no other thread waits for.
class ProcessMemory final : public fbemu::UserMemory {
 public:
  /// `thread` is 0 for a program in a pid namespace that is not visible to the daemon.
  explicit ProcessMemory(pid_t thread) : thread_(thread) {}
  [[nodiscard]] base::Result<void> read(uint64_t address, std::span<std::byte> into) override;
  [[nodiscard]] base::Result<void> write(uint64_t address, std::span<const std::byte> from) override;

 private:
  pid_t thread_;
};

}  // namespace cuse
