#pragma once

#include <string>

#include "cuse/control/control_server.h"
#include "cuse/control/reports.h"
#include "fbemu/framebuffer.h"

namespace cuse {

class ProgramFreezer;

/// Answers the requests of fbemuctl: "status", "stats", "modes", "screenshot", "freeze" and "thaw".
class ControlRequests {
 public:
  /// `framebuffer` and `freezer` must outlive this object.
  ControlRequests(DaemonIdentity identity, fbemu::Framebuffer& framebuffer, ProgramFreezer& freezer)
      : identity_(std::move(identity)), framebuffer_(framebuffer), freezer_(freezer) {}

  /// Returns the answer to `command`, or a refusal() with the reason. Thread-safe.
  [[nodiscard]] ControlReply answer(const std::string& command) const;

 private:
  DaemonIdentity identity_;
  fbemu::Framebuffer& framebuffer_;
  ProgramFreezer& freezer_;
};

/// Captures the output. Returns its size, with a memfd that holds its XRGB8888 pixels (lines packed); a
/// refusal() if the screen shows the console, or if the capture fails.
[[nodiscard]] ControlReply take_screenshot(fbemu::Framebuffer& framebuffer);

}  // namespace cuse
