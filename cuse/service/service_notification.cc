#include "cuse/service/service_notification.h"

#ifdef FBEMU_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace cuse {

void notify_service_manager([[maybe_unused]] const char* state) {
#ifdef FBEMU_HAVE_SYSTEMD
  ::sd_notify(0, state);
#endif
}

}  // namespace cuse
