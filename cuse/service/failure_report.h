#pragma once

#include <system_error>

namespace cuse {

/// Logs the exception that is being handled, at most one a second. `during` names the operation that threw
/// it, such as "an ioctl". Returns its error: ENOMEM for std::bad_alloc, EIO for any other.
std::error_code report_current_exception(const char* during) noexcept;

}  // namespace cuse
