#include "cuse/session/fuse_server.h"

#include <fcntl.h>
#include <sched.h>
#include <spdlog/spdlog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "cuse/node/mount_table.h"
#include "cuse/service/failure.h"

namespace cuse {
namespace {

using base::UniqueFd;

/// Returns true if umount2(2) failed with `error` because nothing is mounted there, or nothing exists.
bool is_not_mounted(std::error_code error) {
  return error == std::errc::invalid_argument || error == std::errc::no_such_file_or_directory;
}

}  // namespace

FuseServer::FuseServer(fbemu::Framebuffer& framebuffer, ServedFile file, IoctlWorkers& ioctl_workers)
    : FuseServer(framebuffer, std::move(file), ioctl_workers, {}) {}

FuseServer::FuseServer(fbemu::Framebuffer& framebuffer, ServedFile file, IoctlWorkers& ioctl_workers,
                       Environment environment)
    : Session("fuse", file.path),
      framebuffer_(framebuffer),
      file_(std::move(file)),
      environment_(std::move(environment)),
      requests_(framebuffer, threads(), ioctl_workers, file_.attributes) {}

FuseServer::~FuseServer() {
  if (!stop(environment_.stop_timeout)) exit_process();
}

SessionEnd FuseServer::end() const {
  const base::MutexLock lock(mutex_);
  return end_;
}

UniqueFd FuseServer::open_own(int flags) {
  requests_.set_own_opener(::gettid());
  UniqueFd file(::open(file_.path.c_str(), flags | O_CLOEXEC));
  const int error = errno;
  requests_.set_own_opener(0);
  if (!file) fail(error, "cannot open " + file_.path + " after mounting it");
  // The root of a fresh mount has size 0 until its attributes are read. A program that mapped it before that
  // would get SIGBUS.
  struct stat status {};
  if (::fstat(file.get(), &status) != 0)
    fail(errno, "cannot read the attributes of " + file_.path + " after mounting it");
  if (static_cast<uint64_t>(status.st_size) != framebuffer_.memory_bytes()) {
    fail(EIO, file_.path + " does not have the size of the framebuffer after mounting it");
  }
  return file;
}

bool FuseServer::stop(std::chrono::milliseconds timeout) {
  if (!is_running()) return true;
  // Another process may have detached the mount. An aborted connection leaves it attached.
  if (!std::exchange(detached_, true) && is_mounted(file_.path, ::getpid())) {
    const auto detached = detach_mount(file_.path);
    if (!detached && !is_not_mounted(detached.error())) {
      spdlog::warn("cannot unmount {}: {}", file_.path, detached.error().message());
    }
  }
  return stop_threads(timeout);
}

// The functions below run on the threads with the channel.

void FuseServer::ended(const SessionEnd& end) {
  {
    const base::MutexLock lock(mutex_);
    end_ = end;
  }
  ended_event_.signal();
}

void FuseServer::separate_descriptors() const {
  if (::unshare(CLONE_FILES) != 0) fail(errno, "cannot separate the table of descriptors");
  std::array keep{threads().wake_descriptor(), ended_event_.get(), framebuffer_.wake_descriptor()};
  std::ranges::sort(keep);
  unsigned first = STDERR_FILENO + 1;
  for (const int descriptor : keep) {
    const auto kept = static_cast<unsigned>(descriptor);
    if (kept > first) ::close_range(first, kept - 1, 0);
    first = kept + 1;
  }
  ::close_range(first, ~0U, 0);
}

FuseSession FuseServer::open() {
  separate_descriptors();
  std::vector<std::string> arguments{"fbemud"};
  if (::geteuid() != 0) {
    arguments.emplace_back("-odefault_permissions,subtype=" + std::string(mount_subtype) +
                           ",fsname=" + mount_source(::getpid()));
  }
  std::vector<char*> pointers;
  pointers.reserve(arguments.size());
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  fuse_args args = FUSE_ARGS_INIT(static_cast<int>(pointers.size()), pointers.data());
  FuseSession session(::fuse_session_new(&args, &FuseRequests::operations(), sizeof(fuse_lowlevel_ops),
                                         requests_.user_data()));
  ::fuse_opt_free_args(&args);
  if (session == nullptr) fail(EINVAL, "cannot start a FUSE session");
  mount(*session);
  const int channel = ::fuse_session_fd(session.get());
  ::fcntl(channel, F_SETFL, ::fcntl(channel, F_GETFL) | O_NONBLOCK);
  return session;
}

void FuseServer::mount(fuse_session& session) {
  if (environment_.open_channel) {
    give_channel(session, environment_.open_channel(), "the mount on " + file_.path);
  } else if (::geteuid() == 0) {
    mount_as_root(session);
  } else {
    // libfuse calls fusermount3, which mounts on plain files owned by the user.
    errno = 0;
    if (::fuse_session_mount(&session, file_.path.c_str()) != 0) {
      fail(errno != 0 ? errno : EPERM, "cannot mount on " + file_.path +
                                           "; without root this requires fusermount3 (package fuse3), access "
                                           "to /dev/fuse, and a plain file that you own");
    }
  }
}

/// Mounts without libfuse and passes the channel to it. libfuse takes the type of the root from the mount
/// point; over a character device, every access to such a mount returns EIO. This mount's root is a regular
/// file.
void FuseServer::mount_as_root(fuse_session& session) {
  UniqueFd channel(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!channel) {
    fail(errno, "cannot open /dev/fuse; load the module fuse, or give the container access to that device");
  }
  const std::string options = "fd=" + std::to_string(channel.get()) +
                              ",rootmode=100660,user_id=0,group_id=0,allow_other,default_permissions";
  // /proc/self is the main thread; its table of descriptors has the mount point.
  const std::string target =
      file_.mount_point < 0 ? file_.path : "/proc/self/fd/" + std::to_string(file_.mount_point);
  if (::mount(mount_source(::getpid()).c_str(), target.c_str(), mount_type, MS_NOSUID | MS_NODEV | MS_NOEXEC,
              options.c_str()) != 0) {
    const std::string hint = errno == EPERM ? "; the daemon needs CAP_SYS_ADMIN" : "";
    fail(errno, "cannot mount on " + file_.path + hint);
  }
  try {
    give_channel(session, std::move(channel), "the mount on " + file_.path);
  } catch (...) {
    static_cast<void>(detach_mount(file_.path));
    throw;
  }
}

}  // namespace cuse
