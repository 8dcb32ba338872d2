#pragma once

#include "tests/support/captured_log.h"

namespace unit {

using LogCapture = CapturedLog;

}  // namespace unit
