#include "cuse/control_server.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "drmclient/event_descriptors.h"

namespace cuse {
namespace {

using drmclient::UniqueFd;

constexpr size_t most_clients = 16;
constexpr size_t longest_request = 4096;

[[noreturn]] void fail(int code, const std::string& what) {
  throw std::system_error(code, std::generic_category(), what);
}

/// Removes a socket at `path` behind which nobody is left.
void clear_stale_socket(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) fail(EEXIST, "the control socket " + path + " exists and is no socket");
  const UniqueFd probe(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const bool refused =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno == ECONNREFUSED;
  if (!refused) fail(EADDRINUSE, "the control socket " + path + " is used by another program");
  ::unlink(path.c_str());
}

/// Sends one message; a client that does not take it is its own loss.
void send_reply(int client, const ControlReply& reply) {
  std::string text = reply.body.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  if (reply.descriptor) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int descriptor = reply.descriptor.get();
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  static_cast<void>(::sendmsg(client, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
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

ControlServer::ControlServer(std::string path, Handler handle)
    : path_(std::move(path)), handle_(std::move(handle)), stop_event_(drmclient::make_event()) {
  const sockaddr_un address = make_unix_address(path_);
  clear_stale_socket(path_, address);
  listener_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener_) fail(errno, "cannot make the control socket");
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail(errno, "cannot make the control socket " + path_);
  }
  ::chmod(path_.c_str(), 0600);
  if (::listen(listener_.get(), static_cast<int>(most_clients)) != 0) {
    const int error = errno;
    ::unlink(path_.c_str());
    fail(error, "cannot listen on the control socket " + path_);
  }
  thread_ = std::thread([this] { run(); });
}

ControlServer::~ControlServer() {
  stop();
}

void ControlServer::stop() {
  if (!thread_.joinable()) return;
  drmclient::signal_event(stop_event_);
  thread_.join();
  clients_.clear();
  listener_.reset();
  ::unlink(path_.c_str());
}

void ControlServer::run() {
  ::pthread_setname_np(::pthread_self(), "control");
  for (;;) {
    std::vector<pollfd> events{{stop_event_.get(), POLLIN, 0}};
    // With too many clients further ones wait in the kernel's queue.
    events.push_back({clients_.size() < most_clients ? listener_.get() : -1, POLLIN, 0});
    for (const UniqueFd& client : clients_) events.push_back({client.get(), POLLIN, 0});
    if (::poll(events.data(), events.size(), -1) < 0) continue;
    if (events[0].revents != 0) return;
    std::vector<UniqueFd> kept;
    for (size_t i = 0; i < clients_.size(); ++i) {
      if (events[i + 2].revents == 0 || serve_client(clients_[i].get()))
        kept.push_back(std::move(clients_[i]));
    }
    clients_ = std::move(kept);
    if (events[1].revents != 0) accept_client();
  }
}

void ControlServer::accept_client() {
  UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (client) clients_.push_back(std::move(client));
}

/// Answers one request; false where the client has gone.
bool ControlServer::serve_client(int client) {
  std::array<char, longest_request> text{};
  const ssize_t size = ::recv(client, text.data(), text.size(), MSG_DONTWAIT);
  if (size <= 0) return size < 0 && (errno == EAGAIN || errno == EINTR);
  ControlReply reply;
  try {
    const auto request = nlohmann::json::parse(text.data(), text.data() + size);
    reply = handle_(request.at("command").get<std::string>());
  } catch (const std::exception& error) {
    reply.body = {{"error", error.what()}};
  }
  send_reply(client, reply);
  return true;
}

}  // namespace cuse
