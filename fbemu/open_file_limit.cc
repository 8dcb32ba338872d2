#include "fbemu/open_file_limit.h"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <utility>

#include "fbemu/frontend/opener.h"

namespace fbemu {

base::Result<void> OpenFileLimit::take(uint32_t user) {
  unsigned& files = files_[user];
  const unsigned most = user == Opener::root ? most_of_root : most_of_a_user;
  if (files < most) {
    ++files;
    return {};
  }
  // Logged once, because a user at the limit may retry without end.
  if (!std::exchange(has_warned_, true)) {
    spdlog::warn(
        "user {} has reached the limit of {} open files of the framebuffer; further opens by users at their "
        "limit fail with EMFILE and are not logged",
        user, files);
  }
  return base::failure(EMFILE);
}

void OpenFileLimit::release(uint32_t user) {
  const auto files = files_.find(user);
  if (files == files_.end()) return;
  if (--files->second == 0) files_.erase(files);
}

}  // namespace fbemu
