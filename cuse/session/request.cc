#include "cuse/session/request.h"

#include "cuse/service/failure_report.h"

namespace cuse {

void answer_with_current_exception(Request& request) noexcept {
  const std::error_code error = report_current_exception("a request of a program");
  if (!request.answered()) ::fuse_reply_err(request.take(), error.value());
}

}  // namespace cuse
