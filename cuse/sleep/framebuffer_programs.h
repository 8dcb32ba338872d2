#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace cuse {

/// The files through which programs reach a framebuffer.
struct FramebufferFiles {
  dev_t file_system = 0;       ///< st_dev of the FUSE file
  ino_t inode = 0;             ///< st_ino of the FUSE file
  dev_t character_device = 0;  ///< number of the CUSE device; 0 if there is none
};

/// Returns the numbers that are names in a folder of /proc: processes or threads. Empty if the folder cannot
/// be read.
[[nodiscard]] std::vector<pid_t> numbers_in(const std::string& folder);

/// The search for the processes that have the framebuffer open or mapped, under any name.
///
/// No step asks the file system of an examined file, because another file server may be stopped. The inode
/// number comes from /proc/PID/fdinfo, the number of a device from the cached attributes, and mappings from
/// /proc/PID/maps.
class FramebufferPrograms {
 public:
  /// Maximum number of descriptors examined in a process; a framebuffer is opened early.
  static constexpr unsigned most_descriptors = 4096;

  /// The processes `excluded` are never found.
  FramebufferPrograms(const FramebufferFiles& files, const std::vector<pid_t>& excluded);

  /// Returns the processes that use the framebuffer now.
  [[nodiscard]] std::vector<pid_t> find();

 private:
  enum class Search { found, not_found, no_descriptors };

  [[nodiscard]] bool uses_framebuffer(pid_t process);
  [[nodiscard]] Search search_descriptors(const std::string& folder);
  [[nodiscard]] bool is_framebuffer(const std::string& folder, const std::string& descriptor);
  [[nodiscard]] bool has_mapping(const std::string& folder);
  [[nodiscard]] bool may_hold_devices(const std::string& folder, uint64_t mount);
  void read_mounts(const std::string& folder);

  FramebufferFiles files_;
  std::unordered_set<pid_t> excluded_;
  std::string mapped_file_;  ///< device and inode as in /proc/PID/maps
  /// The mounts by their number, which is the same in all mount namespaces. True if device nodes are possible
  /// on the mount, and its files are not those of a file server.
  std::unordered_map<uint64_t, bool> mounts_;
  std::vector<char> buffer_;
};

}  // namespace cuse
