#include "cuse/service/failure_report.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <exception>
#include <new>

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

int report_current_exception(const char* during) noexcept {
  int error = EIO;
  try {
    try {
      throw;
    } catch (const std::bad_alloc&) {
      error = ENOMEM;
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
  return error;
}

}  // namespace cuse
