#include "cuse/control/control_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "cuse/service/failure.h"

namespace cuse {
namespace {

using base::UniqueFd;

constexpr int waiting_clients = 16;

bool is_same_file(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// Removes a socket at `path` if no process listens on it. Throws std::system_error if another file or a
/// socket in use is there.
void clear_stale_socket(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return;
  if (!S_ISSOCK(found.st_mode)) fail(EEXIST, "the control socket " + path + " exists and is no socket");
  const UniqueFd probe(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const bool refused =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno == ECONNREFUSED;
  if (!refused) fail(EADDRINUSE, "the control socket " + path + " is used by another program");
  // Another daemon may have replaced it since the probe; then bind() fails.
  struct stat now {};
  if (::lstat(path.c_str(), &now) == 0 && is_same_file(found, now)) ::unlink(path.c_str());
}

}  // namespace

sockaddr_un make_unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    fail(ENAMETOOLONG, "the control socket " + path + " cannot have a name of more than 107 bytes");
  }
  path.copy(static_cast<char*>(address.sun_path), path.size());
  return address;
}

ControlSocket::ControlSocket(std::string path) : path_(std::move(path)) {
  const sockaddr_un address = make_unix_address(path_);
  clear_stale_socket(path_, address);
  UniqueFd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) fail(errno, "cannot make the control socket " + path_);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail(errno, "cannot make the control socket " + path_);
  }
  struct stat status {};
  if (::chmod(path_.c_str(), 0600) != 0 || ::lstat(path_.c_str(), &status) != 0 ||
      ::listen(listener.get(), waiting_clients) != 0) {
    const int error = errno;
    ::unlink(path_.c_str());
    fail(error, "cannot listen on the control socket " + path_);
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
  listener_ = std::move(listener);
}

void ControlSocket::remove() {
  if (!listener_) return;
  struct stat status {};
  if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
  // The guard has the socket open too, so clients in its queue would wait until the guard ends.
  while (UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC))) {
  }
  listener_.reset();
}

}  // namespace cuse
