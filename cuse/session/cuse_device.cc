#include "cuse/session/cuse_device.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "cuse/node/served_path.h"
#include "cuse/service/failure.h"

namespace cuse {
namespace {

constexpr std::string_view device_folder = "/dev/";
constexpr unsigned framebuffer_major = 29;  // FB_MAJOR
constexpr unsigned most_framebuffers = 32;  // FB_MAX

/// Returns true if `major` is in /proc/devices, which lists the registered character devices as "MAJOR NAME",
/// then the block devices.
bool major_is_taken(unsigned major) {
  std::ifstream table("/proc/devices");
  for (std::string line; std::getline(table, line) && !line.starts_with("Block");) {
    unsigned number = 0;
    const size_t first = line.find_first_not_of(' ');
    if (first == std::string::npos) continue;
    std::from_chars(line.data() + first, line.data() + line.size(), number);
    if (number == major) return true;
  }
  return false;
}

/// Returns 29:N for /dev/fbN if that number is free, else 0:0, which requests a dynamic number.
std::pair<unsigned, unsigned> wanted_number(const std::string& name) {
  unsigned number = 0;
  if (!name.starts_with("fb")) return {0, 0};
  const auto [end, error] = std::from_chars(name.data() + 2, name.data() + name.size(), number);
  const bool framebuffer =
      error == std::errc{} && end == name.data() + name.size() && number < most_framebuffers;
  // The kernel's framebuffer core, if built in or loaded, registers all minors of its major.
  if (!framebuffer || major_is_taken(framebuffer_major)) return {0, 0};
  return {framebuffer_major, number};
}

base::UniqueFd open_cuse() {
  base::UniqueFd channel(::open("/dev/cuse", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!channel) fail(errno, "cannot open /dev/cuse");
  return channel;
}

/// Finds the node of the registered device. A node of another device with the same name stays unchanged.
std::optional<dev_t> find_registered_node(const std::string& path) {
  const std::string name = path.substr(device_folder.size());
  unsigned major = 0;
  unsigned minor = 0;
  char colon = 0;
  std::ifstream("/sys/class/cuse/" + name + "/dev") >> major >> colon >> minor;
  struct stat status {};
  if (major == 0 || ::lstat(path.c_str(), &status) != 0 || !S_ISCHR(status.st_mode) ||
      status.st_rdev != makedev(major, minor)) {
    return std::nullopt;
  }
  // devtmpfs makes the node for root only, and udev's rules for the display group match only the kernel's
  // framebuffers.
  if (::chown(path.c_str(), 0, display_group()) != 0 || ::chmod(path.c_str(), display_permissions) != 0) {
    spdlog::warn("cannot give {} to the display group: {}", path, std::generic_category().message(errno));
  }
  return status.st_rdev;
}

std::system_error not_registered(const std::string& path) {
  return {ENODEV, std::generic_category(),
          "the kernel did not register the CUSE device " + path + " (see dmesg)"};
}

}  // namespace

CuseDevice::Environment CuseDevice::kernel() {
  return {&open_cuse, &find_registered_node};
}

CuseDevice::CuseDevice(fbemu::Framebuffer& framebuffer, std::string path, IoctlWorkers& ioctl_workers,
                       Environment environment)
    : Session("cuse", "the CUSE device " + path),
      path_(std::move(path)),
      environment_(std::move(environment)),
      requests_(framebuffer, threads(), ioctl_workers, [this] { check_node(); }) {}

CuseDevice::~CuseDevice() {
  if (!stop(environment_.stop_timeout)) exit_process();
}

bool CuseDevice::possible_at(const std::string& path) {
  struct stat status {};
  return ::geteuid() == 0 && path.starts_with(device_folder) &&
         path.find('/', device_folder.size()) == std::string::npos && ::lstat(path.c_str(), &status) != 0 &&
         errno == ENOENT;
}

std::string CuseDevice::number() const {
  return std::to_string(major(device_)) + ":" + std::to_string(minor(device_));
}

// The functions below run on the threads of the session.

void CuseDevice::ended(const SessionEnd& end) {
  // libfuse hides a failed registration: it calls init_done and ends its loop as if the device was closed.
  if (report_started(std::make_exception_ptr(not_registered(path_)))) return;
  spdlog::warn("the CUSE device {} was removed ({}); the file mounted there is still served", path_,
               end.error ? end.error.message() : "connection closed");
}

FuseSession CuseDevice::open() {
  const std::string name = path_.substr(device_folder.size());
  const std::string device_name = "DEVNAME=" + name;
  const char* information = device_name.c_str();
  cuse_info info{};
  std::tie(info.dev_major, info.dev_minor) = wanted_number(name);
  info.dev_info_argc = 1;
  info.dev_info_argv = &information;
  info.flags = CUSE_UNRESTRICTED_IOCTL;

  std::string program = "fbemud";
  char* arguments = program.data();
  fuse_args args = FUSE_ARGS_INIT(1, &arguments);
  FuseSession session(::cuse_lowlevel_new(&args, &info, &CuseRequests::operations(), requests_.user_data()));
  ::fuse_opt_free_args(&args);
  if (session == nullptr) fail(EINVAL, "cannot start a CUSE session");
  give_channel(*session, environment_.open_channel(), served());
  return session;
}

/// Reports the start when the kernel has received the answer to CUSE_INIT: the node exists by then, or never
/// will.
void CuseDevice::check_node() noexcept {
  if (!is_starting()) return;
  try {
    const std::optional<dev_t> found = environment_.find_node(path_);
    if (!found) throw not_registered(path_);
    device_ = *found;
    report_started();
  } catch (...) {
    report_started(std::current_exception());
  }
}

}  // namespace cuse
