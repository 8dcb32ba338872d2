#include "cuse/control/control_peers.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <utility>

namespace cuse {
namespace {

constexpr uid_t root = 0;
/// Number of users whose refusal is logged. A user may have thousands of subordinate user ids.
constexpr size_t most_logged = 16;

}  // namespace

ControlPeers::ControlPeers(std::string path, uid_t owner) : path_(std::move(path)), owner_(owner) {}

std::optional<std::string> ControlPeers::check(int client) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return "the user of this connection is unknown";
  }
  if (peer.uid == root || peer.uid == owner_) return std::nullopt;
  log(peer.uid);
  return "user " + std::to_string(peer.uid) + " may not control this fbemud; only root" +
         (owner_ == root ? "" : " and user " + std::to_string(owner_) + ", who runs it,") + " may";
}

void ControlPeers::log(uid_t user) {
  if (logged_.size() == most_logged || !logged_.insert(user).second) return;
  spdlog::warn("refused user {} at the control socket {}{}", user, path_,
               logged_.size() == most_logged ? "; refusals of further users are not logged" : "");
}

}  // namespace cuse
