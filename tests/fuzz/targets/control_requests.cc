// The requests of fbemuctl to the daemon: each message is answered with a JSON object.
//
// Input: messages, one in a line.
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cuse/control/control_requests.h"
#include "cuse/control/control_server.h"
#include "cuse/sleep/program_freezer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/framebuffer_fixture.h"
#include "tests/support/temporary_folder.h"

namespace {

using fuzz::require;

/// A daemon's socket. It is made once, because its connections share no state.
class Daemon final : public unit::FramebufferFixture {
 public:
  Daemon() {
    start();
    require(framebuffer->open(fbemu::Opener(true)).has_value(), "the framebuffer can be opened");
    requests.emplace(cuse::DaemonIdentity{"/dev/fb0", "headless", 1, 2}, *framebuffer, freezer);
    server.emplace(folder.file("control"),
                   [this](const std::string& command) { return requests->answer(command); });
  }
  ~Daemon() override {
    server.reset();
    stop();
  }

  [[nodiscard]] base::UniqueFd connect() const {
    const sockaddr_un address = cuse::make_unix_address(server->path());
    base::UniqueFd client(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    require(fuzz::restarted([&] { return ::connect(client.get(), name, sizeof address); }) == 0,
            "the daemon can be reached");
    return client;
  }

 private:
  void TestBody() override {}

  unit::TemporaryFolder folder;
  cuse::ProgramFreezer freezer{{}};
  std::optional<cuse::ControlRequests> requests;
  std::optional<cuse::ControlServer> server;
};

/// Returns the answer to a message. The kernel closes the descriptor that comes with a screenshot.
std::string ask(const base::UniqueFd& client, std::string_view message) {
  const auto sent =
      fuzz::restarted([&] { return ::send(client.get(), message.data(), message.size(), MSG_NOSIGNAL); });
  require(sent == static_cast<ssize_t>(message.size()), "a message can be sent");
  pollfd event{client.get(), POLLIN, 0};
  constexpr int limit_ms = 8000;
  require(fuzz::restarted([&] { return ::poll(&event, 1, limit_ms); }) == 1, "every message is answered");
  std::string answer(65'536, '\0');
  const auto size = fuzz::restarted([&] { return ::recv(client.get(), answer.data(), answer.size(), 0); });
  require(size > 0, "every message is answered");
  answer.resize(static_cast<size_t>(size));
  return answer;
}

bool is_command(std::string_view message) {
  constexpr std::array commands{R"({"command":"status"})", R"({"command":"stats"})", R"({"command":"modes"})",
                                R"({"command":"screenshot"})"};
  return std::ranges::find(commands, message) != commands.end();
}

}  // namespace

void fuzz::run(Input input) {
  static const Daemon daemon;
  const base::UniqueFd client = daemon.connect();
  while (!input.empty()) {
    const std::string_view message = input.take_line();
    // An empty message looks like the end of the connection.
    if (message.empty()) continue;
    const auto answer = nlohmann::json::parse(ask(client, message), nullptr, false);
    require(answer.is_object(), "an answer is a JSON object");
    // A refusal has only the member "error".
    if (is_command(message)) require(answer.size() > 1, "a command is obeyed");
  }
}
