#include "cuse/control/control_server.h"

#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "cuse/service/failure.h"

namespace cuse {
namespace {

using base::UniqueFd;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t most_clients = 16;
constexpr size_t longest_request = 4096;
/// Time between two tries, after one failed for lack of memory or descriptors.
constexpr milliseconds pause{1000};

/// Sends one message without blocking; a client whose queue is full loses it.
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

/// Sends `reason` to a client that may not use the socket, whether or not it has sent a request.
void send_refusal(int client, const std::string& reason) {
  // A close with a request in the queue would reset the connection and lose the answer. No request comes
  // after this shutdown: the client's send(2) fails with EPIPE.
  ::shutdown(client, SHUT_RD);
  std::array<char, 1> rest{};
  while (::recv(client, rest.data(), rest.size(), MSG_DONTWAIT) > 0) {
  }
  send_reply(client, refusal(reason));
}

/// Returns the command of a request; nothing if the text is no {"command": WORD}.
std::optional<std::string> command_of(std::string_view text) {
  constexpr bool may_throw = false;
  const auto request = nlohmann::json::parse(text, nullptr, may_throw);
  if (!request.is_object()) return std::nullopt;
  const auto command = request.find("command");
  if (command == request.end() || !command->is_string()) return std::nullopt;
  return command->get<std::string>();
}

}  // namespace

ControlReply refusal(const std::string& reason) {
  ControlReply reply;
  reply.body = {{"error", reason}};
  return reply;
}

ControlServer::ControlServer(ControlSocket socket, Handler handle)
    : socket_(std::move(socket)), handle_(std::move(handle)), peers_(socket_.path(), ::geteuid()) {
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    fail(error.code().value(), "cannot start the thread for the control socket " + path() +
                                   "; raise the limit of processes (ulimit -u, TasksMax=)");
  }
}

ControlServer::ControlServer(std::string path, Handler handle)
    : ControlServer(ControlSocket(std::move(path)), std::move(handle)) {}

ControlServer::~ControlServer() {
  stop();
}

void ControlServer::stop() {
  if (!thread_.joinable()) return;
  stop_event_.signal();
  thread_.join();
  clients_.clear();
  socket_.remove();
}

void ControlServer::run() {
  ::pthread_setname_np(::pthread_self(), "control");
  bool stopping = false;
  while (!stopping) {
    try {
      stopping = !serve_events();
    } catch (const std::exception& error) {
      // Memory is short. Clients can repeat their requests, but the display must go on.
      spdlog::warn("the control socket {} drops its clients: {}", path(), error.what());
      clients_.clear();
      stopping = rest();
    }
  }
}

/// Waits for events and handles them. Returns false if the thread must end.
bool ControlServer::serve_events() {
  std::vector<pollfd> events{{stop_event_.get(), POLLIN, 0}};
  // If there are too many clients, or no descriptors for them, further ones wait in the kernel's queue.
  const bool accepts = clients_.size() < most_clients && steady_clock::now() >= accepts_from_;
  events.push_back({accepts ? socket_.descriptor() : -1, POLLIN, 0});
  for (const UniqueFd& client : clients_) events.push_back({client.get(), POLLIN, 0});
  if (::poll(events.data(), events.size(), poll_timeout()) < 0) {
    if (errno == EINTR) return true;
    const std::string reason = std::generic_category().message(errno);
    const auto level = std::exchange(waiting_fails_, true) ? spdlog::level::debug : spdlog::level::warn;
    spdlog::log(level, "cannot wait for clients of the control socket {}: {}; trying again", path(), reason);
    return !rest();
  }
  waiting_fails_ = false;
  if (events[0].revents != 0) return false;
  std::vector<UniqueFd> kept;
  for (size_t i = 0; i < clients_.size(); ++i) {
    if (events[i + 2].revents == 0 || serve_client(clients_[i].get())) kept.push_back(std::move(clients_[i]));
  }
  // A closed descriptor is free for the next client.
  if (kept.size() < clients_.size()) accepts_from_ = {};
  clients_ = std::move(kept);
  if (events[1].revents != 0) accept_client();
  return true;
}

/// Returns the milliseconds until clients are accepted again, or -1 if they are accepted now.
int ControlServer::poll_timeout() const {
  const auto left = std::chrono::ceil<milliseconds>(accepts_from_ - steady_clock::now());
  return left.count() > 0 ? static_cast<int>(left.count()) : -1;
}

/// Pauses the thread after a failure that would repeat at once. Returns true if the thread must end.
bool ControlServer::rest() const {
  pollfd stop{stop_event_.get(), POLLIN, 0};
  const int ready = ::poll(&stop, 1, static_cast<int>(pause.count()));
  if (ready < 0 && errno != EINTR) std::this_thread::sleep_for(pause);
  return ready > 0;
}

void ControlServer::accept_client() {
  UniqueFd client(::accept4(socket_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  const int error = errno;
  if (client) {
    accepts_fail_ = false;
    if (const auto reason = peers_.check(client.get())) {
      send_refusal(client.get(), *reason);
    } else {
      clients_.push_back(std::move(client));
    }
    return;
  }
  if (error == EAGAIN || error == EINTR || error == ECONNABORTED) return;
  // The client stays in the kernel's queue, so the listener stays readable.
  accepts_from_ = steady_clock::now() + pause;
  const auto level = std::exchange(accepts_fail_, true) ? spdlog::level::debug : spdlog::level::warn;
  spdlog::log(level, "cannot accept a client of the control socket {}: {}{}; trying again each second",
              path(), std::generic_category().message(error),
              error == EMFILE ? " (raise the limit: ulimit -n, LimitNOFILE=)" : "");
}

/// Answers one request. Returns false if the client closed the connection.
bool ControlServer::serve_client(int client) {
  std::array<char, longest_request> text{};
  const ssize_t size = ::recv(client, text.data(), text.size(), MSG_DONTWAIT);
  if (size <= 0) return size < 0 && (errno == EAGAIN || errno == EINTR);
  ControlReply reply;
  try {
    const auto command = command_of({text.data(), static_cast<size_t>(size)});
    reply = command ? handle_(*command) : refusal("the request is not an object {\"command\": WORD}");
  } catch (const std::exception& error) {
    reply = refusal(error.what());
  } catch (...) {
    reply = refusal("the request failed");
  }
  send_reply(client, reply);
  return true;
}

}  // namespace cuse
