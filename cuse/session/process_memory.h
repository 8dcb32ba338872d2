#pragma once

#include <sys/types.h>

#include <string>

#include "fbemu/frontend/user_memory.h"

namespace cuse {

/// The setting of Yama, the security module that restricts access to other processes' memory.
inline constexpr const char* yama_file = "/proc/sys/kernel/yama/ptrace_scope";

/// Returns the sentence for the log when process_vm_readv(2) was refused with `error`: the cause, as far as
/// the setting in `yama_scope_file` and the rights of this process show it, and the way out.
[[nodiscard]] std::string explain_refusal(int error, bool has_ptrace_right,
                                          const std::string& yama_scope_file = yama_file);

/// Whether this process has CAP_SYS_PTRACE in its user namespace.
[[nodiscard]] bool has_ptrace_right();

/// The memory of the thread whose request is being answered, by process_vm_readv(2).
///
/// A thread whose request we have read waits for our answer and cannot be killed away from it
/// (request_wait_answer() in fs/fuse/dev.c), so its id is not used again in the meantime. The calls may block
/// for as long as the program wants (a page of its memory may be served by itself), so they are made on
/// threads that others do not wait for.
class ProcessMemory final : public fbemu::UserMemory {
 public:
  /// `thread` is 0 for a program in a pid namespace that we cannot see.
  explicit ProcessMemory(pid_t thread) : thread_(thread) {}
  int read(uint64_t address, std::span<std::byte> into) override;
  int write(uint64_t address, std::span<const std::byte> from) override;

 private:
  pid_t thread_;
};

}  // namespace cuse
