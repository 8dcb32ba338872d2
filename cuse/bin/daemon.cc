#include "cuse/bin/daemon.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "cuse/bin/card_choice.h"
#include "cuse/bin/daemon_signals.h"
#include "cuse/bin/main_loop.h"
#include "cuse/control/control_requests.h"
#include "cuse/node/mount_table.h"
#include "cuse/service/failure.h"
#include "cuse/service/process_end.h"
#include "cuse/service/runtime_files.h"
#include "cuse/service/service_notification.h"
#include "cuse/session/writeback_limits.h"
#include "cuse/sleep/monitor_choice.h"

namespace cuse {
namespace {

using std::chrono::milliseconds;

// Together with the main loop's timeout for the command, less than the second in which the daemon ends.
constexpr milliseconds ioctl_workers_timeout{200};
constexpr milliseconds session_timeout{150};
constexpr milliseconds freezer_timeout{150};

constexpr const char* first_device = "/dev/fb0";

/// Returns N of /dev/fbN, or 0 for any other path.
uint32_t number_of(const std::string& device) {
  constexpr std::string_view prefix = "/dev/fb";
  uint32_t number = 0;
  if (device.starts_with(prefix)) {
    std::from_chars(device.data() + prefix.size(), device.data() + device.size(), number);
  }
  return number;
}

}  // namespace

Daemon::Daemon(DaemonOptions options)
    : options_(std::move(options)),
      process_(::getpid()),
      signals_(open_daemon_signals()),
      card_(open_card(options_.card, options_.connector, options_.mapping)),
      output_(choose_output(*card_, options_.connector)),
      initial_mode_(choose_initial_mode(*card_, output_.info(), options_.mode)),
      device_(choose_device()),
      framebuffer_(*card_, output_, framebuffer_options()),
      lock_(device_),
      control_socket_(options_.control.value_or(default_control_path(lock_.path()))),
      guard_([this] { clean_up_after_kill(); }) {}

std::string Daemon::choose_device() const {
  if (options_.device) return *options_.device;
  std::string device = ServedPath::first_free_device();
  if (device != first_device) spdlog::info("{} exists; taking {}", first_device, device);
  return device;
}

fbemu::FramebufferOptions Daemon::framebuffer_options() {
  fbemu::FramebufferOptions options;
  options.mode = initial_mode_;
  options.virtual_size = options_.virtual_size.value_or(drmclient::Size{});
  options.depth = options_.depth;
  options.memory_bytes = options_.memory_bytes;
  options.rotation = options_.rotation;
  options.scaling = options_.scaling;
  options.direct_color = options_.direct_color;
  options.on_close = options_.on_close;
  options.clear_on_close = options_.clear_on_close;
  options.outputs = options_.connector ? fbemu::Outputs::one : fbemu::Outputs::all;
  options.terminals = &terminals_;
  options.pressure = &pressure_;
  options.follow_monitor_mode = !options_.mode;
  options.id = "fbemu " + card_->info().driver;
  options.number = number_of(device_);
  return options;
}

/// Cleans up after the daemon was killed. Runs in the guard process, which shares the lock with the daemon.
void Daemon::clean_up_after_kill() {
  const auto mount = find_framebuffer_mount(lock_.path());
  if (mount && mount->daemon == process_) static_cast<void>(detach_mount(lock_.path()));
  control_socket_.remove();
  lock_.release();
}

void Daemon::start() {
  const std::string cuse_missing = options_.cuse ? make_cuse_device() : "--no-cuse was given";
  mount();
  identity_ = {served_path_->path(),
               card_->info().driver,
               process_,
               guard_.process(),
               cuse_device_ ? cuse_device_->number() : "",
               cuse_missing};
  pages_.emplace(server_->open_own(options_.clear_on_close ? O_RDWR : O_RDONLY));
  if (cuse_device_) cuse_device_->connect(server_->open_own(O_RDWR));
  lift_writeback_limits(identity_.device);
  pages_->prefetch(framebuffer_.memory_bytes());
  framebuffer_.start(&*pages_);
  freezer_.emplace(freezer_options());
  sleep_monitor_ = start_sleep_monitor(*freezer_);
  control_server_.emplace(std::move(control_socket_),
                          [requests = ControlRequests(identity_, framebuffer_, *freezer_)](
                              const std::string& command) { return requests.answer(command); });
  log_start();
  notify_service_manager("READY=1");
  start_command();
}

/// Makes the CUSE device if one is possible. Otherwise returns the reason, and the file alone is served.
std::string Daemon::make_cuse_device() {
  const std::string& path = lock_.path();
  if (!CuseDevice::possible_at(path)) {
    return "a CUSE device needs root, and a path right in /dev where nothing exists";
  }
  if (::access("/dev/cuse", F_OK) != 0) {
    std::string missing = "there is no /dev/cuse: load the module (modprobe cuse)";
    spdlog::warn("{}, or start with --no-cuse if a file is wanted; {} is a plain file, no character device",
                 missing, path);
    return missing;
  }
  auto device = std::make_unique<CuseDevice>(framebuffer_, path, ioctl_workers_);
  try {
    device->start();
  } catch (const std::system_error& error) {
    spdlog::warn("{}; serving a plain file instead", error.what());
    return error.what();
  }
  cuse_device_ = std::move(device);
  return {};
}

void Daemon::mount() {
  served_path_.emplace(lock_);
  const ServedFile file{served_path_->path(),
                        {served_path_->uid(), served_path_->gid(), served_path_->permissions()},
                        served_path_->descriptor()};
  server_.emplace(framebuffer_, file, ioctl_workers_);
  server_->start();
}

ProgramFreezer::Options Daemon::freezer_options() const {
  struct stat file {};
  if (::stat(identity_.device.c_str(), &file) != 0) {
    fail(errno, "cannot read the attributes of " + identity_.device + " after mounting it");
  }
  ProgramFreezer::Options options;
  options.files = {file.st_dev, file.st_ino, cuse_device_ ? cuse_device_->device() : dev_t{0}};
  options.own_processes = {guard_.process()};
  return options;
}

void Daemon::log_start() const {
  const fbemu::Framebuffer::Status status = framebuffer_.status();
  spdlog::info("serving {} on output {} of the card {}: {} at {:.2f} Hz", identity_.device,
               status.presenter.output.name, identity_.driver, status.fb_state.mode.name,
               status.fb_state.mode.refresh_millihertz() / 1000.0);
}

void Daemon::start_command() {
  if (options_.command.empty()) return;
  const std::vector<std::pair<std::string, std::string>> environment{
      {"FRAMEBUFFER", identity_.device},
      {"SDL_FBDEV", identity_.device},
      {"FBEMU_CONTROL", control_server_->path()}};
  command_.emplace(options_.command, environment);
}

int Daemon::run() {
  const int exit_status =
      MainLoop(signals_, *server_, command_ ? &*command_ : nullptr, identity_.device).run();
  notify_service_manager("STOPPING=1");
  return exit_status;
}

int Daemon::stop(int exit_status) {
  // Programs run again before their framebuffer is removed. This also ends a freeze that is in progress.
  const bool freezer_ended = !freezer_ || freezer_->stop(freezer_timeout);
  sleep_monitor_.reset();
  control_server_.reset();
  // If the start failed before the control server owned it.
  control_socket_.remove();
  // Before the pages that it presents from are closed, and while the front ends can still send answers.
  framebuffer_.stop();
  pages_.reset();
  // The front ends must not be destroyed while a thread waits for a program's memory.
  const bool workers_ended = ioctl_workers_.stop(ioctl_workers_timeout);
  const bool cuse_ended = !cuse_device_ || cuse_device_->stop(session_timeout);
  const bool server_ended = !server_ || server_->stop(session_timeout);
  if (freezer_ended && workers_ended && cuse_ended && server_ended) return exit_status;
  // Only the end of the process ends the wait for a program's memory, or for /proc.
  guard_.dismiss();
  lock_.release();
  end_process(exit_status);
}

}  // namespace cuse
