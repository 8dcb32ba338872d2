#pragma once

#include <sys/types.h>

#include <optional>
#include <set>
#include <string>

namespace cuse {

/// The check of the peers of a control socket: only root and the user that runs the daemon may use it.
///
/// The mode of the socket's file is no barrier: the administrator may change it, and an access control list
/// may extend it. The check compares the effective user of the process that called connect(2) (SO_PEERCRED).
/// A connection that another process inherits keeps that user. A pidfd of the peer (SO_PEERPIDFD, Linux 6.5)
/// adds nothing, because no decision depends on the process.
class ControlPeers {
 public:
  /// `path` is the socket, for the log; `owner` is the user that runs the daemon.
  ControlPeers(std::string path, uid_t owner);

  /// Returns the reason to refuse the peer of `client`, and logs it once for each user; nothing if the peer
  /// may use the socket. A user outside the daemon's user namespace counts as the overflow user.
  [[nodiscard]] std::optional<std::string> check(int client);

 private:
  void log(uid_t user);

  std::string path_;
  uid_t owner_;
  std::set<uid_t> logged_;  ///< users whose refusal was logged
};

}  // namespace cuse
