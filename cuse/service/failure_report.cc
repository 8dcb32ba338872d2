#include "cuse/service/failure_report.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <new>
#include <system_error>

namespace cuse {
namespace {

/// Returns true once a second, because a failure that repeats with each request must not fill the log.
bool may_log() {
  using std::chrono::steady_clock;
  static std::atomic<steady_clock::rep> last_second{-1};
  const auto second =
      std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now().time_since_epoch()).count();
  return last_second.exchange(second) != second;
}

}  // namespace

std::error_code report_current_exception(const char* during) noexcept {
  std::errc error = std::errc::io_error;
  try {
    try {
      throw;
    } catch (const std::bad_alloc&) {
      error = std::errc::not_enough_memory;
      if (may_log()) {
        spdlog::error("out of memory during {}; give the daemon more memory (MemoryMax= of its unit)",
                      during);
      }
    } catch (const std::exception& exception) {
      if (may_log()) spdlog::error("{} failed: {}; please report this", during, exception.what());
    }
  } catch (...) {
    // An exception of no standard type, or no memory for the line of the log.
  }
  return std::make_error_code(error);
}

}  // namespace cuse
