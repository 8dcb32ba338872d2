#include "private_mounts.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "process.h"

namespace fuse_test {

PrivateMounts::PrivateMounts()
    : before_(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)),
      entered_(before_ && leave_mount_namespace()) {}

PrivateMounts::~PrivateMounts() {
  if (entered_) ::setns(before_.get(), CLONE_NEWNS);
}

bool leave_mount_namespace() {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool cover_with_tmpfs(const std::string& path, const std::string& options) {
  return ::mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()) == 0;
}

bool cover_with(const std::string& source, const std::string& path) {
  return ::mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0;
}

bool abort_connection(unsigned number) {
  const std::string connections = "/sys/fs/fuse/connections";
  const std::string abort = connections + "/" + std::to_string(number) + "/abort";
  const auto mount_if_missing = [&] {
    return ::access(abort.c_str(), W_OK) == 0 ||
           (leave_mount_namespace() && ::mount("fusectl", connections.c_str(), "fusectl", 0, nullptr) == 0);
  };
  return run({"sh", "-c", "echo 1 > " + abort}, {.prepare = mount_if_missing}).exit_status == 0;
}

Unmounting::~Unmounting() {
  ::umount2(path_.c_str(), MNT_DETACH);
}

}  // namespace fuse_test
