#include "cuse/node/device_path.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/limits.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "cuse/node/mount_table.h"
#include "cuse/service/failure.h"

namespace cuse {
namespace {

using base::UniqueFd;

constexpr const char* other_device =
    "name a --device in folders that only root can write to, or run fbemud as the user";

std::string user_text(uid_t user) {
  const passwd* entry = ::getpwuid(user);
  return "user " + std::to_string(user) + (entry != nullptr ? std::string(" (") + entry->pw_name + ")" : "");
}

/// Returns true if this process is in a user namespace that does not map every user.
bool lacks_users() {
  std::ifstream map("/proc/self/uid_map");
  uint64_t inside = 0;
  uint64_t outside = 0;
  uint64_t count = 0;
  constexpr uint64_t all = 4'294'967'295;
  return map >> inside >> outside >> count && count != all;
}

/// Returns true if `user` is the administrator or the user of this process.
bool is_trusted(uid_t user) {
  if (user == 0 || user == ::geteuid()) return true;
  // A container's user namespace may not map the administrator of the machine: the owner of / is "nobody".
  uid_t unknown = 0;
  return std::ifstream("/proc/sys/kernel/overflowuid") >> unknown && user == unknown && lacks_users();
}

/// Returns true if users other than the owner can write to a folder. The group root counts as root.
bool is_shared(const struct stat& folder) {
  return (folder.st_mode & S_IWOTH) != 0 || ((folder.st_mode & S_IWGRP) != 0 && folder.st_gid != 0);
}

/// Throws if the owner of a folder, or another user who can write to it, could exchange the device.
void check_folder(const std::string& path, const struct stat& folder) {
  if (::geteuid() != 0) return;
  if (!is_trusted(folder.st_uid)) {
    fail(EPERM, "the folder " + path + " belongs to " + user_text(folder.st_uid) +
                    ", who could exchange the device in it; " + other_device);
  }
  if (is_shared(folder) && (folder.st_mode & S_ISVTX) == 0) {
    fail(EPERM, "other users can write to the folder " + path +
                    ", and could exchange the device in it; close it to them (chmod go-w " + path + "), or " +
                    other_device);
  }
}

/// Throws if `entry` is in a shared folder and another user could have made it.
void check_entry(const std::string& path, const struct stat& folder, const struct stat& entry) {
  if (::geteuid() != 0 && !S_ISLNK(entry.st_mode)) return;
  if (!is_shared(folder) || (::geteuid() != 0 && (folder.st_mode & S_ISVTX) == 0)) return;
  if (!is_trusted(entry.st_uid)) {
    fail(EPERM, path + " belongs to " + user_text(entry.st_uid) +
                    " and is in a folder where every user can make files; remove it, or " + other_device);
  }
  if (S_ISREG(entry.st_mode) && entry.st_nlink > 1) {
    fail(EPERM,
         path + " is a second name of a file, which any user can have made; remove it, or " + other_device);
  }
}

/// A walk along a path, part by part.
class Walk {
 public:
  explicit Walk(std::string device) : device_(std::move(device)) {
    std::string start = "/";
    if (!device_.starts_with('/')) start = std::filesystem::current_path().string() + "/";
    prepend(start + device_);
    enter_root();
  }

  DevicePath run() {
    bool followed = false;
    for (;;) {
      const std::string name = std::move(parts_.front());
      parts_.pop_front();
      const bool last = parts_.empty();
      if (last && (name.empty() || name == "." || name == "..")) fail_as_folder();
      if (name.empty() || name == ".") continue;
      const std::string path = (path_ == "/" ? "" : path_) + "/" + name;
      if (last && find_framebuffer_mount(path)) return finish(path);
      UniqueFd entry(::openat(folder_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      if (!entry && last && errno == ENOENT) {
        if (followed) fail(ENOENT, "the device " + device_ + " is a symbolic link that leads nowhere");
        return finish(path);
      }
      if (!entry) fail_at(path);
      struct stat status {};
      if (::fstat(entry.get(), &status) != 0) fail_at(path);
      if (name != "..") check_entry(path, status_, status);
      if (S_ISLNK(status.st_mode)) {
        follow(entry, path);
        followed = followed || last;
      } else if (last) {
        return finish(path);
      } else {
        enter(std::move(entry), name == ".." ? parent_of(path_) : path);
      }
    }
  }

 private:
  static std::string parent_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
  }

  [[noreturn]] void fail_as_folder() const { fail(EISDIR, "the device " + device_ + " is a folder"); }

  [[noreturn]] void fail_at(const std::string& path) const {
    const int error = errno;
    if (parts_.empty()) fail(error, "cannot read the status of the device " + path);
    fail(error, "the folder " + path + " of the device " + device_ + " cannot be used");
  }

  /// Puts the parts of `path` before the parts that are still to be walked.
  void prepend(std::string_view path) {
    std::deque<std::string> parts;
    for (size_t start = 0; start <= path.size();) {
      const size_t end = std::min(path.find('/', start), path.size());
      parts.emplace_back(path.substr(start, end - start));
      start = end + 1;
    }
    parts.insert(parts.end(), parts_.begin(), parts_.end());
    parts_ = std::move(parts);
  }

  void enter_root() { enter(UniqueFd(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)), "/"); }

  void enter(UniqueFd folder, std::string path) {
    if (!folder || ::fstat(folder.get(), &status_) != 0) fail_at(path);
    if (!S_ISDIR(status_.st_mode)) {
      errno = ENOTDIR;
      fail_at(path);
    }
    folder_ = std::move(folder);
    path_ = std::move(path);
    check_folder(path_, status_);
  }

  void follow(const UniqueFd& link, const std::string& path) {
    constexpr int most_links = 40;  // MAXSYMLINKS of the kernel
    if (++links_ > most_links) fail(ELOOP, "the symbolic link " + path + " cannot be followed");
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(link.get(), "", target.data(), target.size());
    if (size <= 0) fail_at(path);
    const std::string_view text(target.data(), static_cast<size_t>(size));
    prepend(text);
    if (text.starts_with('/')) enter_root();
  }

  DevicePath finish(std::string path) {
    DevicePath found;
    found.path = std::move(path);
    found.folder = std::move(folder_);
    found.folder_status = status_;
    return found;
  }

  std::string device_;
  std::deque<std::string> parts_;
  UniqueFd folder_;
  struct stat status_ {};
  std::string path_;
  int links_ = 0;
};

}  // namespace

DevicePath resolve_device(const std::string& device) {
  return Walk(device).run();
}

void check_device_owner(const DevicePath& device, const struct stat& entry) {
  check_entry(device.path, device.folder_status, entry);
}

}  // namespace cuse
