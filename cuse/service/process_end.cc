#include "cuse/service/process_end.h"

#include <cstdlib>

namespace cuse {

void end_process(int exit_status) {
  std::_Exit(exit_status);
}

}  // namespace cuse
