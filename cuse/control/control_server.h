#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/event_fd.h"
#include "base/unique_fd.h"
#include "cuse/control/control_peers.h"
#include "cuse/control/control_socket.h"

namespace cuse {

/// The answer to a control request: a JSON object and, for some commands, a descriptor.
struct ControlReply {
  nlohmann::json body;
  base::UniqueFd descriptor;
};

/// Returns the answer {"error": `reason`}.
[[nodiscard]] ControlReply refusal(const std::string& reason);

/// Answers fbemuctl on a Unix socket (SOCK_SEQPACKET, one JSON object a message).
///
/// A request is {"command": WORD}. The answer is an object too: {"error": TEXT} if the request fails. Peers
/// that ControlPeers refuses receive such an answer at once, and their connection is closed. The thread
/// survives a lack of memory or descriptors: it pauses and tries again.
class ControlServer {
 public:
  /// Returns the answer to a command, or a refusal(). Called on the server's thread. An exception (memory is
  /// short) is answered with its text.
  using Handler = std::function<ControlReply(const std::string& command)>;

  /// Starts to answer the clients of `socket`. Throws std::system_error if no thread can be made.
  ControlServer(ControlSocket socket, Handler handle);
  /// Makes a socket at `path` and starts to answer its clients.
  ControlServer(std::string path, Handler handle);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  [[nodiscard]] const std::string& path() const { return socket_.path(); }
  /// Ends the thread and removes the socket. The destructor calls it too.
  void stop();

 private:
  using Time = std::chrono::steady_clock::time_point;

  void run();
  bool serve_events();
  [[nodiscard]] int poll_timeout() const;
  [[nodiscard]] bool rest() const;
  void accept_client();
  bool serve_client(int client);

  ControlSocket socket_;
  Handler handle_;
  ControlPeers peers_;
  base::EventFd stop_event_;
  std::vector<base::UniqueFd> clients_;
  Time accepts_from_{};         ///< time from which clients are accepted
  bool accepts_fail_ = false;   ///< True if accept4() failed last, which was logged
  bool waiting_fails_ = false;  ///< True if poll() failed last, which was logged
  std::thread thread_;
};

}  // namespace cuse
