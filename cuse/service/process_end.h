#pragma once

namespace cuse {

/// Ends the process at once and without destructors, because a thread that cannot be ended would use
/// destroyed objects. The kernel then ends the thread's wait for a program's memory.
[[noreturn]] void end_process(int exit_status);

}  // namespace cuse
