#include "cuse/control/control_requests.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <stdexcept>
#include <system_error>

#include "cuse/service/failure.h"
#include "cuse/sleep/program_freezer.h"

namespace cuse {
namespace {

nlohmann::json freeze_report(const FreezeReport& report) {
  nlohmann::json exceptions = nlohmann::json::array();
  for (const FreezeReport::Exception& exception : report.exceptions) {
    exceptions.push_back(
        {{"process", exception.process}, {"name", exception.name}, {"reason", describe(exception.reason)}});
  }
  return {{"programs", report.programs}, {"threads", report.threads}, {"not_frozen", std::move(exceptions)}};
}

}  // namespace

ControlReply ControlRequests::answer(const std::string& command) const {
  if (command == "status") return {status_report(identity_, framebuffer_), {}};
  if (command == "stats") return {statistics_report(framebuffer_), {}};
  if (command == "modes") return {modes_report(framebuffer_), {}};
  if (command == "screenshot") return take_screenshot(framebuffer_);
  if (command == "freeze") return {freeze_report(freezer_.freeze()), {}};
  if (command == "thaw") return {{{"thawed", freezer_.thaw()}}, {}};
  throw std::invalid_argument("unknown command \"" + command + "\"");
}

ControlReply take_screenshot(fbemu::Framebuffer& framebuffer) {
  const auto capture = framebuffer.capture();
  if (!capture && capture.error().value() == ENODATA) {
    throw std::runtime_error(
        "no program has the framebuffer open for writing, so the screen shows the kernel's console and not "
        "the framebuffer");
  }
  if (!capture) throw std::system_error(capture.error(), "cannot read what the output shows");
  ControlReply reply;
  reply.descriptor.reset(::memfd_create("fbemu-screenshot", MFD_CLOEXEC));
  const auto bytes = std::as_bytes(std::span(capture->pixels));
  if (!reply.descriptor || ::ftruncate(reply.descriptor.get(), static_cast<off_t>(bytes.size())) != 0) {
    fail(errno, "cannot make memory for a screenshot");
  }
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t written =
        ::pwrite(reply.descriptor.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (written <= 0) fail(errno, "cannot store a screenshot");
    done += static_cast<size_t>(written);
  }
  reply.body = {{"width", capture->size.width}, {"height", capture->size.height}, {"format", "XR24"}};
  return reply;
}

}  // namespace cuse
