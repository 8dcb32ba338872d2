#include "cuse/control/control_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "cuse/control/control_socket.h"
#include "cuse/service/failure.h"
#include "cuse/service/runtime_files.h"

namespace cuse {
namespace {

constexpr size_t longest_answer = size_t{64} * 1024;
constexpr time_t timeout_seconds = 10;

std::vector<std::string> all_sockets() {
  std::vector<std::string> sockets;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(runtime_directory(), error)) {
    if (entry.path().extension() == ".sock") sockets.push_back(entry.path());
  }
  std::ranges::sort(sockets);
  return sockets;
}

base::UniqueFd connect_to(const std::string& path) {
  const sockaddr_un address = make_unix_address(path);
  base::UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const timeval timeout{timeout_seconds, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail(errno, "no fbemud answers at " + path);
  }
  return socket;
}

/// Returns the descriptor that came with a message, and closes further ones.
base::UniqueFd take_descriptor(msghdr& message) {
  base::UniqueFd first;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof descriptor, sizeof descriptor);
      base::UniqueFd taken(descriptor);
      if (!first) first = std::move(taken);
    }
  }
  return first;
}

}  // namespace

std::string find_control_socket(const std::optional<std::string>& wanted) {
  if (wanted) return *wanted;
  if (const char* variable = std::getenv("FBEMU_CONTROL"); variable != nullptr) return variable;
  const std::vector<std::string> sockets = all_sockets();
  if (sockets.size() == 1) return sockets.front();
  if (sockets.empty()) {
    throw std::runtime_error("no fbemud of this user is running (there is no socket in " +
                             runtime_directory() + "); name its socket with --control");
  }
  std::string list;
  for (const std::string& socket : sockets) list += "\n  --control " + socket;
  throw std::runtime_error("several fbemud are running; name one:" + list);
}

ControlAnswer ask_daemon(const std::string& socket_path, const std::string& command) {
  const base::UniqueFd socket = connect_to(socket_path);
  const std::string request = nlohmann::json{{"command", command}}.dump();
  std::string text(longest_answer, '\0');
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  // A daemon that refuses this user answers without a request, and takes none (EPIPE).
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE) {
    fail(errno, "cannot send a request to fbemud at " + socket_path);
  }
  const ssize_t size = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC);
  const int error = size < 0 ? errno : ECONNRESET;
  ControlAnswer answer;
  if (size >= 0) answer.descriptor = take_descriptor(message);
  if (size <= 0) fail(error, "fbemud at " + socket_path + " does not answer");
  answer.body = nlohmann::json::parse(text.data(), text.data() + size);
  if (answer.body.contains("error") && answer.body.size() == 1) {
    throw std::runtime_error("fbemud: " + answer.body["error"].get<std::string>());
  }
  return answer;
}

}  // namespace cuse
