#pragma once

namespace cuse {

/// Logs the exception that is being handled, at most one a second. `during` names the operation that threw
/// it, such as "an ioctl". Returns its errno: ENOMEM for std::bad_alloc, EIO for any other.
int report_current_exception(const char* during) noexcept;

}  // namespace cuse
