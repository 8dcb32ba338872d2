#pragma once

#include <sys/un.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "drmclient/unique_fd.h"

namespace cuse {

/// What a control request is answered with: a JSON object and, where that says so, a descriptor.
struct ControlReply {
  nlohmann::json body;
  drmclient::UniqueFd descriptor;
};

/// Answers fbemuctl on a Unix socket (SOCK_SEQPACKET, one JSON object a message; for its owner only).
///
/// A request is {"command": WORD}. The answer is an object too; {"error": TEXT} where it cannot be given.
class ControlServer {
 public:
  /// Calls `handle` on the server's thread with each request's command; it throws std::exception for an error
  /// answer.
  using Handler = std::function<ControlReply(const std::string& command)>;

  /// Listens on `path` from here on; a socket that a dead daemon left there is replaced. Throws
  /// std::system_error.
  ControlServer(std::string path, Handler handle);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Ends the thread and removes the socket. Called again by the destructor.
  void stop();

 private:
  void run();
  void accept_client();
  bool serve_client(int client);

  std::string path_;
  Handler handle_;
  drmclient::UniqueFd listener_;
  drmclient::UniqueFd stop_event_;
  std::vector<drmclient::UniqueFd> clients_;
  std::thread thread_;
};

/// The address of a Unix socket. Throws std::system_error (ENAMETOOLONG) naming the path.
[[nodiscard]] sockaddr_un make_unix_address(const std::string& path);

}  // namespace cuse
