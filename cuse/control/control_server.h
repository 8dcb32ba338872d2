#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "cuse/control/control_socket.h"

namespace cuse {

/// What a control request is answered with: a JSON object and, where that says so, a descriptor.
struct ControlReply {
  nlohmann::json body;
  base::UniqueFd descriptor;
};

/// Answers fbemuctl on a Unix socket (SOCK_SEQPACKET, one JSON object a message; for its owner only).
///
/// A request is {"command": WORD}. The answer is an object too; {"error": TEXT} if there is none. The thread
/// survives a lack of memory or descriptors: it rests, and tries again.
class ControlServer {
 public:
  /// Called on the server's thread with each request's command. Throws std::exception for an error answer.
  using Handler = std::function<ControlReply(const std::string& command)>;

  /// Answers the clients of `socket` from here on. Throws std::system_error if no thread can be made.
  ControlServer(ControlSocket socket, Handler handle);
  /// The same with a new socket at `path`.
  ControlServer(std::string path, Handler handle);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  [[nodiscard]] const std::string& path() const { return socket_.path(); }
  /// Ends the thread and removes the socket. Called again by the destructor.
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
  base::UniqueFd stop_event_;
  std::vector<base::UniqueFd> clients_;
  Time accepts_from_{};         ///< until then no client is accepted
  bool accepts_fail_ = false;   ///< and that was logged
  bool waiting_fails_ = false;  ///< poll() failed the last time, and that was logged
  std::thread thread_;
};

}  // namespace cuse
