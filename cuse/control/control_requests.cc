#include "cuse/control/control_requests.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <system_error>
#include <utility>

#include "base/result.h"
#include "cuse/sleep/program_freezer.h"

namespace cuse {
namespace {

using base::failure;
using base::failure_from_errno;
using base::Result;
using base::UniqueFd;

/// Makes a memfd of `bytes`. Errors: those of memfd_create(2) and ftruncate(2).
Result<UniqueFd> make_memory(size_t bytes) {
  UniqueFd memory(::memfd_create("fbemu-screenshot", MFD_CLOEXEC));
  if (!memory || ::ftruncate(memory.get(), static_cast<off_t>(bytes)) != 0) return failure_from_errno();
  return memory;
}

/// Writes all `bytes`. Errors: those of pwrite(2).
Result<void> store(const UniqueFd& memory, std::span<const std::byte> bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t written =
        ::pwrite(memory.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (written < 0) return failure_from_errno();
    if (written == 0) return failure(EIO);
    done += static_cast<size_t>(written);
  }
  return {};
}

ControlReply refusal_for(const std::string& what, std::error_code error) {
  return refusal(what + ": " + error.message());
}

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
  return refusal("unknown command \"" + command + "\"");
}

ControlReply take_screenshot(fbemu::Framebuffer& framebuffer) {
  const auto capture = framebuffer.capture();
  if (!capture && capture.error() == std::errc::no_message_available) {
    return refusal(
        "no program has the framebuffer open for writing, so the screen shows the kernel's console and not "
        "the framebuffer");
  }
  if (!capture) return refusal_for("cannot read what the output shows", capture.error());
  const auto bytes = std::as_bytes(std::span(capture->pixels));
  auto memory = make_memory(bytes.size());
  if (!memory) return refusal_for("cannot make memory for a screenshot", memory.error());
  if (const auto stored = store(*memory, bytes); !stored) {
    return refusal_for("cannot store a screenshot", stored.error());
  }
  ControlReply reply;
  reply.body = {{"width", capture->size.width}, {"height", capture->size.height}, {"format", "XR24"}};
  reply.descriptor = std::move(*memory);
  return reply;
}

}  // namespace cuse
