#pragma once

#include <sys/types.h>
#include <sys/un.h>

#include <string>

#include "base/unique_fd.h"

namespace cuse {

/// The listening socket of a daemon (SOCK_SEQPACKET, for its owner only), and its file.
///
/// The file is removed only if it still is the one that this object made: device and inode are compared. An
/// inode number is not reused while the socket is open, and another daemon does not replace the file while a
/// process listens. So the file is removed before the socket is closed, and the guard process keeps the
/// socket open too.
class ControlSocket {
 public:
  /// Listens on `path`. Replaces a socket on which no process listens. Throws std::system_error that names
  /// the path.
  explicit ControlSocket(std::string path);
  ~ControlSocket() { remove(); }
  ControlSocket(ControlSocket&& other) noexcept = default;
  ControlSocket& operator=(ControlSocket&& other) = delete;
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Returns the non-blocking descriptor that accepts clients; -1 after remove().
  [[nodiscard]] int descriptor() const { return listener_.get(); }
  /// Removes the file, refuses the clients in the queue, and closes the socket. The destructor calls it too.
  void remove();

 private:
  std::string path_;
  base::UniqueFd listener_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// Returns the address of a Unix socket. Throws std::system_error (ENAMETOOLONG) that names the path.
[[nodiscard]] sockaddr_un make_unix_address(const std::string& path);

}  // namespace cuse
