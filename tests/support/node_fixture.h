#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "cuse/node/node_lock.h"
#include "cuse/node/served_path.h"
#include "tests/support/environment.h"
#include "tests/support/temporary_folder.h"

namespace unit {

/// A path that is locked and served as by the daemon.
class TakenPath {
 public:
  explicit TakenPath(const std::string& path) : lock_(path), node_(lock_) {}
  [[nodiscard]] const std::string& path() const { return node_.path(); }
  [[nodiscard]] bool created() const { return node_.created(); }
  [[nodiscard]] uid_t uid() const { return node_.uid(); }
  [[nodiscard]] gid_t gid() const { return node_.gid(); }
  [[nodiscard]] mode_t permissions() const { return node_.permissions(); }
  [[nodiscard]] const std::string& lock_path() const { return lock_.lock_path(); }
  void remove() { lock_.release(); }

 private:
  cuse::NodeLock lock_;
  cuse::ServedPath node_;
};

/// A folder for devices, and another for their locks, which only a user other than root uses.
class NodeFixture : public testing::Test {
 protected:
  static bool exists(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
  }
  static void make_file(const std::string& path) { std::ofstream(path) << "precious"; }

  TemporaryFolder folder;
  TemporaryFolder runtime_folder;
  Environment runtime{"XDG_RUNTIME_DIR", runtime_folder.path()};
  std::string device = folder.file("fb0");
};

}  // namespace unit
