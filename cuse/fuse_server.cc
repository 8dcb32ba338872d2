#include "cuse/fuse_server.h"

#include <fcntl.h>
#include <sched.h>
#include <spdlog/spdlog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "cuse/failure_report.h"
#include "cuse/fuse_operations.h"
#include "cuse/mount_table.h"
#include "drmclient/event_descriptors.h"

namespace cuse {
namespace {

using drmclient::UniqueFd;

[[noreturn]] void fail(int code, const std::string& what) {
  throw std::system_error(code, std::generic_category(), what);
}

}  // namespace

FuseServer::FuseServer(fbemu::Framebuffer& framebuffer, ServedFile file, ProgramThreads& program_threads)
    : FuseServer(framebuffer, std::move(file), program_threads, {}) {}

FuseServer::FuseServer(fbemu::Framebuffer& framebuffer, ServedFile file, ProgramThreads& program_threads,
                       Environment environment)
    : framebuffer_(framebuffer),
      file_(std::move(file)),
      environment_(std::move(environment)),
      start_time_(std::chrono::system_clock::now()),
      ended_event_(drmclient::make_event()),
      ioctl_calls_(framebuffer, threads_, program_threads) {
  ioctls = &ioctl_calls_;
}

FuseServer::~FuseServer() {
  if (stop(environment_.patience_at_end)) return;
  // A std::thread that still runs must not be destroyed, nor what it uses.
  spdlog::critical("a thread that serves {} does not end; ending the process instead", file_.path);
  std::_Exit(EXIT_FAILURE);
}

void FuseServer::start() {
  std::promise<void> mounted;
  std::future<void> result = mounted.get_future();
  std::promise<void> finished;
  finished_ = finished.get_future();
  try {
    thread_ = std::thread([this, mounted = std::move(mounted), finished = std::move(finished)]() mutable {
      run(std::move(mounted));
      finished.set_value();
    });
  } catch (const std::system_error& error) {
    throw no_thread(error, "the requests for " + file_.path);
  }
  started_ = true;
  result.get();
}

SessionEnd FuseServer::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

UniqueFd FuseServer::open_own(int flags) {
  own_opener_ = ::gettid();
  UniqueFd file(::open(file_.path.c_str(), flags | O_CLOEXEC));
  const int error = errno;
  own_opener_ = 0;
  if (!file) fail(error, "cannot open " + file_.path + " after mounting it");
  // The root of a fresh mount has size 0 until someone asks: a program that mapped it before would get
  // SIGBUS.
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(errno, "cannot look at " + file_.path + " after mounting it");
  if (static_cast<uint64_t>(status.st_size) != framebuffer_.memory_bytes()) {
    fail(EIO, file_.path + " has not the size of the framebuffer after mounting it");
  }
  return file;
}

bool FuseServer::stop(std::chrono::milliseconds patience) {
  if (!started_) return true;
  // It may have been unmounted by someone else; an aborted connection leaves the mount.
  if (!std::exchange(detached_, true) && is_mounted(file_.path, ::getpid())) {
    if (const int error = detach_mount(file_.path); error != 0 && error != EINVAL && error != ENOENT) {
      spdlog::warn("cannot unmount {}: {}", file_.path, std::generic_category().message(error));
    }
  }
  threads_.stop();
  if (finished_.wait_for(patience) != std::future_status::ready) return false;
  thread_.join();
  started_ = false;
  return true;
}

// From here on: the threads with the channel.

void FuseServer::run(std::promise<void> mounted) {
  try {
    separate_descriptors();
    mount();
    threads_.prepare(*session_);
  } catch (...) {
    if (session_ != nullptr) ::fuse_session_destroy(session_);
    session_ = nullptr;
    mounted.set_exception(std::current_exception());
    return;
  }
  mounted.set_value();
  SessionEnd end;
  try {
    end = threads_.run();
  } catch (...) {
    end = {SessionEnd::Cause::failed, report_current_exception("the service of the mount")};
  }
  if (end.cause != SessionEnd::Cause::stopped) report_end(end);
  // Closes the channel: whoever still has the file open gets ENOTCONN from now on.
  ::fuse_session_destroy(session_);
  session_ = nullptr;
}

void FuseServer::report_end(const SessionEnd& end) {
  {
    const std::lock_guard lock(mutex_);
    end_ = end;
  }
  drmclient::signal_event(ended_event_);
}

void FuseServer::separate_descriptors() const {
  if (::unshare(CLONE_FILES) != 0) fail(errno, "cannot separate the table of descriptors");
  std::array keep{threads_.wake_descriptor(), ended_event_.get(), framebuffer_.wake_descriptor()};
  std::ranges::sort(keep);
  unsigned first = STDERR_FILENO + 1;
  for (const int descriptor : keep) {
    const auto kept = static_cast<unsigned>(descriptor);
    if (kept > first) ::close_range(first, kept - 1, 0);
    first = kept + 1;
  }
  ::close_range(first, ~0U, 0);
}

void FuseServer::mount() {
  std::vector<std::string> arguments{"fbemud"};
  if (::geteuid() != 0) {
    arguments.emplace_back("-odefault_permissions,subtype=" + std::string(mount_subtype) +
                           ",fsname=" + mount_source(::getpid()));
  }
  std::vector<char*> pointers;
  pointers.reserve(arguments.size());
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  fuse_args args = FUSE_ARGS_INIT(static_cast<int>(pointers.size()), pointers.data());
  session_ = ::fuse_session_new(&args, &fuse_operations(), sizeof(fuse_lowlevel_ops),
                                static_cast<SessionData*>(this));
  ::fuse_opt_free_args(&args);
  if (session_ == nullptr) fail(EINVAL, "cannot start a FUSE session");

  if (environment_.open_channel) {
    take_channel(environment_.open_channel());
  } else if (::geteuid() == 0) {
    mount_as_root();
  } else {
    // Through fusermount3, which mounts on plain files that belong to the user.
    errno = 0;
    if (::fuse_session_mount(session_, file_.path.c_str()) != 0) {
      fail(errno != 0 ? errno : EPERM, "cannot mount on " + file_.path +
                                           "; without root this takes fusermount3 (package fuse3), access to "
                                           "/dev/fuse, and a plain file of yours");
    }
  }
  const int channel = ::fuse_session_fd(session_);
  ::fcntl(channel, F_SETFL, ::fcntl(channel, F_GETFL) | O_NONBLOCK);
}

/// libfuse takes the type of the root from the mount point, which over a character device gives a mount that
/// answers nothing but EIO. So the mount is made here, with a root that is a regular file, and libfuse gets
/// the channel.
void FuseServer::mount_as_root() {
  UniqueFd channel(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!channel) {
    fail(errno, "cannot open /dev/fuse; load the module fuse, or give the container access to that device");
  }
  const std::string options = "fd=" + std::to_string(channel.get()) +
                              ",rootmode=100660,user_id=0,group_id=0,allow_other,default_permissions";
  // /proc/self is the main thread, whose table of descriptors has the mount point.
  const std::string target =
      file_.mount_point < 0 ? file_.path : "/proc/self/fd/" + std::to_string(file_.mount_point);
  if (::mount(mount_source(::getpid()).c_str(), target.c_str(), mount_type, MS_NOSUID | MS_NODEV | MS_NOEXEC,
              options.c_str()) != 0) {
    const std::string hint = errno == EPERM ? "; the daemon needs CAP_SYS_ADMIN" : "";
    fail(errno, "cannot mount on " + file_.path + hint);
  }
  const std::string name = "/dev/fd/" + std::to_string(channel.get());
  if (::fuse_session_mount(session_, name.c_str()) != 0) {
    detach_mount(file_.path);
    fail(EINVAL, "libfuse does not take the channel of the mount on " + file_.path);
  }
  static_cast<void>(channel.release());  // libfuse closes it with the session
}

void FuseServer::take_channel(UniqueFd channel) {
  const std::string name = "/dev/fd/" + std::to_string(channel.get());
  if (::fuse_session_mount(session_, name.c_str()) != 0) fail(EINVAL, "libfuse does not take the channel");
  static_cast<void>(channel.release());  // libfuse closes it with the session
}

}  // namespace cuse
