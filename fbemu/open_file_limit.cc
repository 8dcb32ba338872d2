#include "fbemu/open_file_limit.h"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <utility>

#include "fbemu/frontend/opener.h"

namespace fbemu {

int OpenFileLimit::take(uint32_t user) {
  unsigned& files = files_[user];
  const unsigned most = user == Opener::root ? most_of_root : most_of_a_user;
  if (files < most) {
    ++files;
    return 0;
  }
  // Once: whoever has reached the limit may try again without end.
  if (!std::exchange(told_, true)) {
    spdlog::warn(
        "user {} has the framebuffer open {} times, the most for one user; further opens of users at their "
        "limit fail with EMFILE, without a line in the log",
        user, files);
  }
  return EMFILE;
}

void OpenFileLimit::release(uint32_t user) {
  const auto files = files_.find(user);
  if (files == files_.end()) return;
  if (--files->second == 0) files_.erase(files);
}

}  // namespace fbemu
