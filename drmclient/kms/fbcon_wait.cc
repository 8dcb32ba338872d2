#include "drmclient/kms/fbcon_wait.h"

#include <sys/stat.h>

#include <chrono>
#include <utility>

#include "drmclient/system/kernel_console.h"

namespace drmclient {
namespace {

/// Maximum time from the return of a card to the return of fbcon.
constexpr std::chrono::seconds fbcon_timeout{1};

}  // namespace

FbconWait::FbconWait(std::string node, std::string consoles, const base::Clock& clock)
    : node_(std::move(node)), consoles_(std::move(consoles)), clock_(clock), was_attached_(is_attached()) {}

bool FbconWait::is_attached() const {
  return has_framebuffer_console(consoles_);
}

std::optional<FbconWait::Inode> FbconWait::inode_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Inode{status.st_dev, status.st_ino};
}

bool FbconWait::defer_open() {
  waiting_ = false;
  if (is_attached()) {
    was_attached_ = true;
    found_.reset();
    return false;
  }
  if (!was_attached_) return false;
  const auto node = inode_of(node_);
  if (node != found_) {
    found_ = node;
    found_at_ = clock_.now();
  }
  // A missing node may appear before the caller opens it.
  if (!node) return true;
  waiting_ = clock_.now() - found_at_ < fbcon_timeout;
  return waiting_;
}

}  // namespace drmclient
