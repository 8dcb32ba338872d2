#include "cuse/service/runtime_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <iomanip>
#include <sstream>
#include <string_view>
#include <system_error>

#include "cuse/service/failure.h"

namespace cuse {
namespace {

/// Returns the FNV-1a hash. It is the same in every build, because both programs must derive the same name.
uint32_t hash(std::string_view text) {
  uint32_t value = 2'166'136'261U;
  for (const char character : text) {
    value = (value ^ static_cast<unsigned char>(character)) * 16'777'619U;
  }
  return value;
}

}  // namespace

std::string runtime_directory() {
  if (::geteuid() == 0) return "/run/fbemu";
  const char* user_directory = std::getenv("XDG_RUNTIME_DIR");
  if (user_directory != nullptr && user_directory[0] == '/') return std::string(user_directory) + "/fbemu";
  return "/tmp/fbemu-" + std::to_string(::geteuid());
}

void make_runtime_directory() {
  make_own_folder(runtime_directory(), ::geteuid() == 0 ? 0755 : 0700);
}

void make_own_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) fail(errno, "cannot make the folder " + path);
  const base::UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!folder && errno != ENOTDIR && errno != ELOOP) fail(errno, "cannot open the folder " + path);
  if (!folder || ::fstat(folder.get(), &status) != 0 || status.st_uid != ::geteuid()) {
    fail(EPERM, path + " is not a folder of this user; remove it");
  }
  constexpr mode_t writable_by_others = 0022;
  if ((status.st_mode & writable_by_others) != 0 &&
      ::fchmod(folder.get(), status.st_mode & 07777 & ~writable_by_others) != 0) {
    fail(errno, "other users can write to the folder " + path + ", and that cannot be changed");
  }
}

std::string runtime_name(const std::string& device) {
  constexpr size_t longest = 48;
  const size_t first = device.find_first_not_of('/');
  std::string name = first == std::string::npos ? "root" : device.substr(first);
  std::ranges::replace(name, '/', '-');
  // Different paths must not have the same name, so paths with a '-' and long paths carry a hash.
  if (name.size() <= longest && device.find('-') == std::string::npos) return name;
  std::ostringstream unique;
  unique << name.substr(name.size() > longest ? name.size() - longest : 0) << '-' << std::hex << std::setw(8)
         << std::setfill('0') << hash(device);
  return unique.str();
}

std::string default_control_path(const std::string& device) {
  return runtime_directory() + "/" + runtime_name(device) + ".sock";
}

}  // namespace cuse
