#include "fbemu/output/reported_error.h"

namespace fbemu {

ReportedError::News ReportedError::update(std::error_code outcome, base::Clock::Time now, Duration timeout) {
  const bool ended = !outcome && logged_;
  if (outcome != error_) {
    error_ = outcome;
    since_ = now;
    logged_ = false;
  }
  if (ended) return News::works;
  if (!outcome || logged_ || now - since_ < timeout) return News::none;
  if (last_logged_ && now - *last_logged_ < quiet_) return News::none;
  logged_ = true;
  last_logged_ = now;
  return News::fails;
}

void ReportedError::clear() {
  error_.clear();
  logged_ = false;
}

}  // namespace fbemu
