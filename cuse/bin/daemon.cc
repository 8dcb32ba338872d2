#include "cuse/bin/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "base/unique_fd.h"
#include "cuse/bin/card_choice.h"
#include "cuse/bin/command.h"
#include "cuse/control/control_server.h"
#include "cuse/control/control_socket.h"
#include "cuse/control/reports.h"
#include "cuse/keeper/guard.h"
#include "cuse/node/mount_table.h"
#include "cuse/node/node_lock.h"
#include "cuse/node/served_path.h"
#include "cuse/service/runtime_files.h"
#include "cuse/service/service_notification.h"
#include "cuse/session/cuse_device.h"
#include "cuse/session/fuse_pages.h"
#include "cuse/session/fuse_server.h"
#include "cuse/session/ioctl_workers.h"
#include "cuse/session/writeback_limits.h"
#include "drmclient/system/memory_pressure.h"
#include "drmclient/system/virtual_terminals.h"
#include "fbemu/framebuffer.h"

namespace cuse {
namespace {

using base::UniqueFd;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Together less than the second in which the daemon ends.
constexpr milliseconds command_exit_timeout{400};
constexpr milliseconds ioctl_workers_timeout{200};
constexpr milliseconds session_timeout{150};

constexpr const char* first_device = "/dev/fb0";

[[noreturn]] void fail(int code, const std::string& what) {
  throw std::system_error(code, std::generic_category(), what);
}

/// The signals of the main thread, as a descriptor. Blocked in every thread that is started later.
UniqueFd take_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  UniqueFd descriptor(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!descriptor) fail(errno, "signalfd");
  return descriptor;
}

/// What the guard does after the daemon was killed. The lock is shared with the daemon.
void clean_up_after(pid_t daemon, NodeLock& lock, ControlSocket& control) {
  const auto mount = find_framebuffer_mount(lock.path());
  if (mount && mount->daemon == daemon) detach_mount(lock.path());
  control.remove();
  lock.release();
}

/// Returns the CUSE device for `path`, or none, and then sets `missing` to the reason. The file alone is
/// served too.
std::unique_ptr<CuseDevice> make_cuse_device(fbemu::Framebuffer& framebuffer, const std::string& path,
                                             IoctlWorkers& ioctl_workers, std::string& missing) {
  if (!CuseDevice::possible_at(path)) {
    missing = "a CUSE device needs root, and a path right in /dev where nothing exists";
    return nullptr;
  }
  if (::access("/dev/cuse", F_OK) != 0) {
    missing = "there is no /dev/cuse: load the module (modprobe cuse)";
    spdlog::warn("{}, or start with --no-cuse if a file is wanted; {} is a plain file, no character device",
                 missing, path);
    return nullptr;
  }
  auto device = std::make_unique<CuseDevice>(framebuffer, path, ioctl_workers);
  try {
    device->start();
  } catch (const std::system_error& error) {
    missing = error.what();
    spdlog::warn("{}; serving a plain file instead", missing);
    return nullptr;
  }
  return device;
}

drmclient::Mode initial_mode(const drmclient::Card& card, const drmclient::Output& output,
                             const DaemonOptions& options) {
  const std::string name = "the output " + output.name + " of the card " + card_name(card.info());
  if (!options.mode) {
    if (output.modes.empty()) {
      fail(ENODEV, name + " has no modes; is a display connected?");
    }
    return output.modes.front();
  }
  const auto mode = drmclient::choose_mode(output, options.mode->size, options.mode->refresh_millihertz);
  if (!mode) {
    fail(EINVAL, name + " has no mode of " + std::to_string(options.mode->size.width) + "x" +
                     std::to_string(options.mode->size.height));
  }
  return *mode;
}

/// N of /dev/fbN; 0 for any other path.
uint32_t number_of(const std::string& device) {
  constexpr std::string_view prefix = "/dev/fb";
  uint32_t number = 0;
  if (device.starts_with(prefix)) {
    std::from_chars(device.data() + prefix.size(), device.data() + device.size(), number);
  }
  return number;
}

ControlReply screenshot_reply(fbemu::Framebuffer& framebuffer) {
  const auto capture = framebuffer.capture();
  if (!capture && capture.error().value() == ENODATA) {
    throw std::runtime_error(
        "no program has the framebuffer open for writing, so the screen shows the kernel's console and not "
        "the "
        "framebuffer");
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

ControlReply answer(const std::string& command, const DaemonIdentity& identity,
                    fbemu::Framebuffer& framebuffer) {
  if (command == "status") return {status_report(identity, framebuffer), {}};
  if (command == "stats") return {statistics_report(framebuffer), {}};
  if (command == "modes") return {modes_report(framebuffer), {}};
  if (command == "screenshot") return screenshot_reply(framebuffer);
  throw std::invalid_argument("unknown command \"" + command + "\"");
}

/// Presents from here to the end of the scope, which is before what it presents from goes.
class Presenting {
 public:
  Presenting(fbemu::Framebuffer& framebuffer, fbemu::ProgramPages* pages) : framebuffer_(framebuffer) {
    framebuffer.start(pages);
  }
  Presenting(const Presenting&) = delete;
  Presenting& operator=(const Presenting&) = delete;
  ~Presenting() { framebuffer_.stop(); }

 private:
  fbemu::Framebuffer& framebuffer_;
};

/// Stops the framebuffer at the end of the scope. A front end may have brought requests before the
/// framebuffer was started, or failed to be: their answers use the front ends, which must still exist.
class RequestsAnswered {
 public:
  explicit RequestsAnswered(fbemu::Framebuffer& framebuffer) : framebuffer_(framebuffer) {}
  RequestsAnswered(const RequestsAnswered&) = delete;
  RequestsAnswered& operator=(const RequestsAnswered&) = delete;
  ~RequestsAnswered() { framebuffer_.stop(); }

 private:
  fbemu::Framebuffer& framebuffer_;
};

/// Waits until the command has ended, a signal asks for the end, or the mount has gone. Returns the exit
/// status.
class MainLoop {
 public:
  MainLoop(const UniqueFd& signals, const FuseServer& server, Command* command, std::string device)
      : signals_(signals), server_(server), command_(command), device_(std::move(device)) {}

  int run() {
    bool table_changed = true;  // it may have been before it was watched
    while (true) {
      if (command_ != nullptr) {
        if (const auto status = command_->exit_status()) return *status;
      }
      // A lazy umount does not end the connection: our own file keeps the file system alive.
      if (table_changed && !is_mounted(device_, ::getpid())) return end_without_mount();
      std::array<pollfd, 3> events{{{signals_.get(), POLLIN, 0},
                                    {server_.ended_descriptor(), POLLIN, 0},
                                    {mount_table_.get(), POLLPRI, 0}}};
      ::poll(events.data(), events.size(), -1);
      if (events[1].revents != 0) {
        spdlog::error("{}", describe(server_.end(), device_));
        return EXIT_FAILURE;
      }
      table_changed = events[2].revents != 0;
      if (const int signal = take_signal(); signal != 0 && signal != SIGCHLD) return end_by(signal);
    }
  }

 private:
  [[nodiscard]] int end_without_mount() const {
    spdlog::error("the mount on {} was taken away by someone else; start fbemud again", device_);
    return EXIT_FAILURE;
  }

  [[nodiscard]] int take_signal() const {
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != sizeof info) return 0;
    return static_cast<int>(info.ssi_signo);
  }

  int end_by(int signal) {
    constexpr int ended_by_signal = 128;
    if (command_ == nullptr) return EXIT_SUCCESS;
    // The command has a moment to end in order; then its framebuffer goes.
    command_->send(signal);
    const auto deadline = steady_clock::now() + command_exit_timeout;
    while (!command_->exit_status()) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
      if (left.count() <= 0) break;
      pollfd event{signals_.get(), POLLIN, 0};
      ::poll(&event, 1, static_cast<int>(left.count()));
      static_cast<void>(take_signal());
    }
    return ended_by_signal + signal;
  }

  const UniqueFd& signals_;
  const FuseServer& server_;
  Command* command_;
  std::string device_;
  UniqueFd mount_table_{
      ::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)};  ///< tells each change: proc(5)
};

/// Presents and answers fbemuctl until it is time to end. Returns the exit status.
int serve(const DaemonOptions& options, const UniqueFd& signals, const DaemonIdentity& identity,
          ControlSocket control_socket, fbemu::Framebuffer& framebuffer, FuseServer& server,
          CuseDevice* cuse_device) {
  FusePages pages(server.open_own(O_RDONLY));
  if (cuse_device != nullptr) cuse_device->connect(server.open_own(O_RDWR));
  lift_writeback_limits(identity.device);
  pages.prefetch(framebuffer.memory_bytes());
  const Presenting presenting(framebuffer, &pages);
  ControlServer control(std::move(control_socket),
                        [&](const std::string& command) { return answer(command, identity, framebuffer); });
  const fbemu::Framebuffer::Status status = framebuffer.status();
  spdlog::info("serving {} on output {} of the card {}: {} at {:.2f} Hz", identity.device,
               status.presenter.output.name, identity.driver, status.fb_state.mode.name,
               status.fb_state.mode.refresh_millihertz() / 1000.0);
  notify_service_manager("READY=1");

  std::optional<Command> command;
  if (!options.command.empty()) {
    command.emplace(options.command,
                    std::vector<std::pair<std::string, std::string>>{{"FRAMEBUFFER", identity.device},
                                                                     {"SDL_FBDEV", identity.device},
                                                                     {"FBEMU_CONTROL", control.path()}});
  }
  const int exit_status = MainLoop(signals, server, command ? &*command : nullptr, identity.device).run();
  notify_service_manager("STOPPING=1");
  return exit_status;
}

}  // namespace

int run_daemon(const DaemonOptions& options) {
  const UniqueFd signals = take_signals();
  const std::unique_ptr<drmclient::Card> card = open_card(options.card, options.connector, options.mapping);
  const drmclient::Output output = choose_output(*card, options.connector);
  drmclient::KernelVirtualTerminals terminals;
  drmclient::MemoryPressure pressure;
  fbemu::FramebufferOptions framebuffer_options;
  framebuffer_options.mode = initial_mode(*card, output, options);
  framebuffer_options.virtual_size = options.virtual_size.value_or(drmclient::Size{});
  framebuffer_options.depth = options.depth;
  framebuffer_options.memory_bytes = options.memory_bytes;
  framebuffer_options.rotation = options.rotation;
  framebuffer_options.scaling = options.scaling;
  framebuffer_options.direct_color = options.direct_color;
  framebuffer_options.on_close = options.on_close;
  framebuffer_options.outputs = options.connector ? fbemu::Outputs::one : fbemu::Outputs::all;
  framebuffer_options.terminals = &terminals;
  framebuffer_options.pressure = &pressure;
  framebuffer_options.follow_monitor_mode = !options.mode;
  framebuffer_options.id = "fbemu " + card->info().driver;
  const std::string device = options.device ? *options.device : ServedPath::first_free_device();
  framebuffer_options.number = number_of(device);
  fbemu::Framebuffer framebuffer(*card, output, framebuffer_options);

  if (!options.device && device != first_device) spdlog::info("{} exists; taking {}", first_device, device);
  NodeLock lock(device);
  ControlSocket control(options.control.value_or(default_control_path(lock.path())));
  const pid_t daemon = ::getpid();
  // Before there are threads, and before the CUSE device: a copy of its channel would keep it alive.
  Guard guard([&] { clean_up_after(daemon, lock, control); });

  IoctlWorkers ioctl_workers;
  std::unique_ptr<CuseDevice> cuse_device;
  std::optional<ServedPath> served_path;
  std::optional<FuseServer> server;
  int exit_status = EXIT_FAILURE;
  try {
    const RequestsAnswered requests_answered(framebuffer);
    std::string cuse_missing = "--no-cuse was given";
    if (options.cuse) {
      cuse_device = make_cuse_device(framebuffer, lock.path(), ioctl_workers, cuse_missing);
    }
    served_path.emplace(lock);
    server.emplace(framebuffer,
                   ServedFile{served_path->path(),
                              {served_path->uid(), served_path->gid(), served_path->permissions()},
                              served_path->descriptor()},
                   ioctl_workers);
    server->start();
    const DaemonIdentity identity{served_path->path(),
                                  card->info().driver,
                                  daemon,
                                  guard.process(),
                                  cuse_device ? cuse_device->number() : "",
                                  cuse_missing};
    exit_status =
        serve(options, signals, identity, std::move(control), framebuffer, *server, cuse_device.get());
  } catch (const std::exception& error) {
    // The front ends must not be destroyed under a thread that waits for a program's memory. The end of the
    // process ends that wait, and the guard cleans up.
    if (!ioctl_workers.stop(ioctl_workers_timeout)) {
      spdlog::error("{}", error.what());
      std::_Exit(EXIT_FAILURE);
    }
    throw;
  }
  const bool programs_done = ioctl_workers.stop(ioctl_workers_timeout);
  const bool cuse_stopped = cuse_device == nullptr || cuse_device->stop(session_timeout);
  if (!server->stop(session_timeout) || !cuse_stopped || !programs_done) {
    // A thread waits for a program's memory. The end of the process is the end of that wait.
    lock.release();
    guard.dismiss();
    std::_Exit(exit_status);
  }
  return exit_status;
}

}  // namespace cuse
