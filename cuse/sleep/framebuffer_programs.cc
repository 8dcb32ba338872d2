#include "cuse/sleep/framebuffer_programs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>

#include "base/unique_fd.h"

namespace cuse {
namespace {

/// Larger than a line of /proc/PID/maps, whose path is escaped.
constexpr size_t buffer_bytes = size_t{64} * 1024;

/// Calls `receive` with the contents of a file of procfs, in pieces that end with a line. Stops if it returns
/// true, and returns that. Returns false if the file cannot be read.
template <typename Receiver>
bool read_lines(const std::string& path, std::vector<char>& buffer, Receiver receive) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  size_t kept = 0;
  while (file) {
    const ssize_t size = ::read(file.get(), buffer.data() + kept, buffer.size() - kept);
    if (size <= 0) break;
    const std::string_view text(buffer.data(), kept + static_cast<size_t>(size));
    const size_t end = text.rfind('\n') + 1;  // 0 if there is no line end
    if (receive(text.substr(0, end))) return true;
    kept = text.size() - end;
    if (kept == buffer.size()) break;  // a line that is too long
    std::memmove(buffer.data(), buffer.data() + end, kept);
  }
  return false;
}

/// Returns the number in a line "NAME:\tNUMBER" of a /proc/PID/fdinfo/N; 0 if the line is missing.
uint64_t number_in(std::string_view text, std::string_view name) {
  const size_t line = text.find(name);
  if (line == std::string_view::npos) return 0;
  text.remove_prefix(line + name.size());
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Reads the attributes that the kernel has, without asking the file's server.
bool read_cached_attributes(const std::string& path, struct statx& attributes) {
  return ::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO,
                 &attributes) == 0;
}

/// Returns true for file systems whose files a server serves: following a link to such a file may wait for
/// it.
bool has_server(std::string_view type) {
  static constexpr std::array<std::string_view, 13> names{"9p",       "afs",  "ceph",    "cifs", "coda",
                                                          "fuse",     "gfs2", "lustre",  "nfs",  "ocfs2",
                                                          "orangefs", "smb3", "virtiofs"};
  return std::ranges::any_of(names, [type](std::string_view name) { return type.starts_with(name); });
}

}  // namespace

std::vector<pid_t> numbers_in(const std::string& folder) {
  std::vector<pid_t> numbers;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    pid_t number = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
    if (parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size()) numbers.push_back(number);
  }
  return numbers;
}

FramebufferPrograms::FramebufferPrograms(const FramebufferFiles& files, const std::vector<pid_t>& excluded)
    : files_(files), excluded_(excluded.begin(), excluded.end()), buffer_(buffer_bytes) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), " %02x:%02x %llu ", major(files.file_system),
                minor(files.file_system), static_cast<unsigned long long>(files.inode));
  mapped_file_ = text.data();
}

std::vector<pid_t> FramebufferPrograms::find() {
  mounts_.clear();
  if (files_.character_device != 0) read_mounts("/proc/self");
  std::vector<pid_t> found;
  for (const pid_t process : numbers_in("/proc")) {
    if (!excluded_.contains(process) && uses_framebuffer(process)) found.push_back(process);
  }
  return found;
}

bool FramebufferPrograms::uses_framebuffer(pid_t process) {
  const std::string folder = "/proc/" + std::to_string(process);
  Search search = search_descriptors(folder);
  if (search == Search::no_descriptors) {
    // The main thread may have ended; the others still have the descriptors, and share them.
    for (const pid_t thread : numbers_in(folder + "/task")) {
      search = search_descriptors(folder + "/task/" + std::to_string(thread));
      if (search != Search::no_descriptors) break;
    }
  }
  return search == Search::found || has_mapping(folder);
}

FramebufferPrograms::Search FramebufferPrograms::search_descriptors(const std::string& folder) {
  unsigned examined = 0;
  std::error_code error;  // the process may end meanwhile
  for (std::filesystem::directory_iterator entry(folder + "/fd", error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (examined++ == most_descriptors) break;
    if (is_framebuffer(folder, entry->path().filename())) return Search::found;
  }
  return examined == 0 ? Search::no_descriptors : Search::not_found;
}

bool FramebufferPrograms::is_framebuffer(const std::string& folder, const std::string& descriptor) {
  const std::string link = folder + "/fd/" + descriptor;
  std::error_code error;
  // Sockets and pipes have no path.
  if (!std::filesystem::read_symlink(link, error).is_absolute()) return false;
  uint64_t mount = 0;
  uint64_t inode = 0;
  read_lines(folder + "/fdinfo/" + descriptor, buffer_, [&](std::string_view text) {
    mount = number_in(text, "mnt_id:\t");
    inode = number_in(text, "\nino:\t");  // Linux 5.14
    return true;
  });
  struct statx attributes {};
  if (inode == files_.inode) {
    return read_cached_attributes(link, attributes) &&
           makedev(attributes.stx_dev_major, attributes.stx_dev_minor) == files_.file_system;
  }
  return files_.character_device != 0 && may_hold_devices(folder, mount) &&
         read_cached_attributes(link, attributes) && S_ISCHR(attributes.stx_mode) &&
         makedev(attributes.stx_rdev_major, attributes.stx_rdev_minor) == files_.character_device;
}

bool FramebufferPrograms::has_mapping(const std::string& folder) {
  return read_lines(folder + "/maps", buffer_, [this](std::string_view text) {
    for (size_t found = 0; (found = text.find(mapped_file_, found)) != std::string_view::npos; ++found) {
      // The path at the end of a line may contain anything.
      const size_t line = text.rfind('\n', found) + 1;
      if (text.substr(line, found - line).find('/') == std::string_view::npos) return true;
    }
    return false;
  });
}

bool FramebufferPrograms::may_hold_devices(const std::string& folder, uint64_t mount) {
  if (!mounts_.contains(mount)) read_mounts(folder);
  // A mount in neither table is no reason to read the tables again.
  return mounts_.emplace(mount, false).first->second;
}

/// Adds the mounts in the namespace of a process: "ID PARENT MAJ:MIN ROOT PATH OPTIONS ... - TYPE SOURCE
/// ...".
void FramebufferPrograms::read_mounts(const std::string& folder) {
  std::ifstream table(folder + "/mountinfo");
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    uint64_t mount = 0;
    std::string skipped;
    std::string options;
    words >> mount >> skipped >> skipped >> skipped >> skipped >> options;
    const size_t separator = line.find(" - ");
    if (!words || separator == std::string::npos) continue;
    const bool nodev = options.find("nodev") != std::string::npos;
    mounts_[mount] = !nodev && !has_server(std::string_view(line).substr(separator + 3));
  }
}

}  // namespace cuse
