// The lock file of a device, as a killed daemon or anything else has left it: only the recorded file is
// removed.
//
// Input: 1 byte (odd: another process holds the lock), then the text of the file. DEVICE and INODE in it
// stand for the numbers of the file at the device's path.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>

#include "cuse/node/node_lock.h"
#include "cuse/service/runtime_files.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/environment.h"
#include "tests/support/temporary_folder.h"

namespace {

using fuzz::require;

std::string replaced(std::string text, std::string_view word, const std::string& by) {
  for (size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += by.size()) {
    text.replace(at, word.size(), by);
  }
  return text;
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace

void fuzz::run(Input input) {
  const bool is_held = input.take_bool();
  const unit::TemporaryFolder folder;
  // For users other than root.
  const unit::Environment runtime("XDG_RUNTIME_DIR", folder.path());
  const std::string device = folder.file("fb0");
  std::ofstream(device) << "precious";
  struct stat status {};
  require(::stat(device.c_str(), &status) == 0, "the device exists");
  const std::string device_number = std::to_string(status.st_dev);
  const std::string inode = std::to_string(status.st_ino);
  const std::string text =
      replaced(replaced(std::string(input.take_rest()), "DEVICE", device_number), "INODE", inode);

  cuse::make_runtime_directory();
  const std::string lock_path = cuse::runtime_directory() + "/" + cuse::runtime_name(device) + ".lock";
  std::ofstream(lock_path, std::ios::binary) << text;
  base::UniqueFd held;
  if (is_held) {
    held.reset(::open(lock_path.c_str(), O_RDWR | O_CLOEXEC));
    require(::flock(held.get(), LOCK_EX | LOCK_NB) == 0, "the lock is free");
  }
  {
    std::optional<cuse::NodeLock> lock;
    try {
      lock.emplace(device, std::chrono::milliseconds(0));
    } catch (const std::system_error& error) {
      require(is_held && error.code().value() == EBUSY, "only a held lock is refused");
    }
    require(lock.has_value() != is_held, "a held lock is not taken");
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const bool recorded =
        digits > 0 && digits < 10 && text.substr(digits) == " created " + device_number + " " + inode + "\n";
    const bool is_named =
        text.find(device_number) != std::string::npos && text.find(inode) != std::string::npos;
    if (is_held || !is_named) require(exists(device), "a file that is not recorded stays");
    if (!is_held && recorded) require(!exists(device), "the recorded file is removed");
  }
  if (is_held) ::unlink(lock_path.c_str());
  require(!exists(lock_path), "the lock file is removed");
}
