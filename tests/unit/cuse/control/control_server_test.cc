#include "cuse/control/control_server.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>

#include "base/unique_fd.h"
#include "cuse/control/control_client.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thrown.h"

using base::UniqueFd;
using cuse::ask_daemon;
using cuse::ControlReply;
using cuse::ControlServer;
using cuse::make_unix_address;
using nlohmann::json;
using unit::thrown_by;

namespace {

ControlReply echo(const std::string& command) {
  if (command == "refuse") throw std::invalid_argument("not this one");
  ControlReply reply;
  reply.body = {{"command", command}};
  return reply;
}

class ControlServerTest : public testing::Test {
 protected:
  [[nodiscard]] UniqueFd connect() const {
    UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const sockaddr_un address = make_unix_address(path);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return socket;
  }
  static void send(const UniqueFd& socket, const std::string& text) {
    ASSERT_EQ(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  static json receive(const UniqueFd& socket) {
    std::string text(65'536, '\0');
    const ssize_t size = ::recv(socket.get(), text.data(), text.size(), 0);
    if (size <= 0) return nullptr;
    return json::parse(text.substr(0, static_cast<size_t>(size)));
  }

  unit::TemporaryFolder folder;
  std::string path = folder.file("control.sock");
};

class Garbage : public ControlServerTest, public testing::WithParamInterface<std::string> {};

}  // namespace

TEST_F(ControlServerTest, AnswerIsThatOfTheHandler) {
  const ControlServer server(path, echo);
  EXPECT_EQ(ask_daemon(path, "status").body, (json{{"command", "status"}}));
}

TEST_F(ControlServerTest, SeveralRequestsOfOneClientAreAnswered) {
  const ControlServer server(path, echo);
  const UniqueFd client = connect();
  for (const char* word : {"one", "two", "three"}) {
    send(client, json{{"command", word}}.dump());
    EXPECT_EQ(receive(client)["command"], word);
  }
}

TEST_F(ControlServerTest, ExceptionOfTheHandlerIsAnsweredWithItsText) {
  const ControlServer server(path, echo);
  const UniqueFd client = connect();
  send(client, R"({"command": "refuse"})");
  EXPECT_EQ(receive(client), (json{{"error", "not this one"}}));
}

TEST_P(Garbage, IsAnsweredWithAnErrorAndTheConnectionStaysOpen) {
  const ControlServer server(path, echo);
  const UniqueFd client = connect();
  send(client, GetParam());
  const json answer = receive(client);
  ASSERT_TRUE(answer.is_object()) << answer;
  EXPECT_TRUE(answer.contains("error")) << answer;
  send(client, R"({"command": "status"})");
  EXPECT_EQ(receive(client)["command"], "status");
}

INSTANTIATE_TEST_SUITE_P(ControlServer, Garbage,
                         testing::Values("{", "null", "[]", "7", "{}", "status", R"({"command": 5})",
                                         R"({"command": null})", R"({"Command": "status"})", "\xff\xfe\xfd",
                                         std::string(1, '\0'), std::string(4000, '['),
                                         R"({"command": "status"} trailing)", "{\"command\": \"\xff\"}"));

TEST_F(ControlServerTest, OversizedRequestIsAnsweredWithAnError) {
  const ControlServer server(path, echo);
  const UniqueFd client = connect();
  send(client, json{{"command", std::string(5000, 'x')}}.dump());
  EXPECT_TRUE(receive(client).contains("error"));
  send(client, R"({"command": "status"})");
  EXPECT_EQ(receive(client)["command"], "status");
}

TEST_F(ControlServerTest, AnswerWithInvalidUtf8IsSent) {
  const ControlServer server(path, [](const std::string&) -> ControlReply {
    ControlReply reply;
    reply.body = {{"device", "/tmp/\xff"}};
    return reply;
  });
  EXPECT_TRUE(ask_daemon(path, "status").body.contains("device"));
}

TEST_F(ControlServerTest, DescriptorIsSentWithTheAnswer) {
  const ControlServer server(path, [](const std::string&) {
    ControlReply reply;
    reply.body = {{"width", 1}};
    reply.descriptor.reset(::memfd_create("answer", MFD_CLOEXEC));
    EXPECT_EQ(::ftruncate(reply.descriptor.get(), 1234), 0);
    return reply;
  });
  const auto answer = ask_daemon(path, "screenshot");
  struct stat status {};
  ASSERT_EQ(::fstat(answer.descriptor.get(), &status), 0);
  EXPECT_EQ(status.st_size, 1234);
}

TEST_F(ControlServerTest, ClientsThatCloseWithoutReadingDoNotDisturbOthers) {
  const ControlServer server(path, echo);
  for (int i = 0; i < 40; ++i) send(connect(), R"({"command": "status"})");
  EXPECT_EQ(ask_daemon(path, "status").body["command"], "status");
}

TEST_F(ControlServerTest, FortyConcurrentClientsAreAnswered) {
  const ControlServer server(path, echo);
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 40; ++i) {
    clients.emplace_back([&, i] {
      const std::string word = "word" + std::to_string(i);
      answered += ask_daemon(path, word).body["command"] == word ? 1 : 0;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, 40);
}

TEST_F(ControlServerTest, SeventeenthClientIsAnsweredWhenAnotherCloses) {
  const ControlServer server(path, echo);
  std::vector<UniqueFd> idle;
  for (int i = 0; i < 16; ++i) {
    idle.push_back(connect());
    send(idle.back(), R"({"command": "here"})");
    ASSERT_EQ(receive(idle.back())["command"], "here");
  }
  const UniqueFd waiting = connect();
  send(waiting, R"({"command": "late"})");
  send(idle.front(), R"({"command": "still here"})");
  ASSERT_EQ(receive(idle.front())["command"], "still here");
  pollfd event{waiting.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&event, 1, 0), 0) << "sixteen are served at a time";
  idle.front().reset();
  EXPECT_EQ(receive(waiting)["command"], "late");
}

TEST_F(ControlServerTest, SocketIsForItsOwnerOnly) {
  const ControlServer server(path, echo);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(ControlServerTest, StopRemovesTheSocket) {
  {
    ControlServer server(path, echo);
    EXPECT_EQ(server.path(), path);
    server.stop();
    server.stop();
    EXPECT_TRUE(folder.is_empty());
  }
  EXPECT_TRUE(folder.is_empty());
}

TEST_F(ControlServerTest, StaleSocketIsReplaced) {
  {
    const UniqueFd dead(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const sockaddr_un address = make_unix_address(path);
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(dead.get(), 1), 0);
  }
  const ControlServer server(path, echo);
  EXPECT_EQ(ask_daemon(path, "status").body["command"], "status");
}

TEST_F(ControlServerTest, SocketInUseReturnsEaddrinuseAndIsKept) {
  const ControlServer first(path, echo);
  const auto thrown = thrown_by([&] { const ControlServer second(path, echo); });
  EXPECT_EQ(thrown.code, EADDRINUSE);
  EXPECT_TRUE(thrown.says(path)) << thrown.what;
  EXPECT_EQ(ask_daemon(path, "status").body["command"], "status");
}

TEST_F(ControlServerTest, OtherFileAtThePathReturnsEexistAndIsKept) {
  std::ofstream(path) << "precious";
  const auto thrown = thrown_by([&] { const ControlServer server(path, echo); });
  EXPECT_EQ(thrown.code, EEXIST);
  EXPECT_TRUE(thrown.says(path + " exists and is no socket")) << thrown.what;
  EXPECT_EQ(std::filesystem::file_size(path), 8U);
}

TEST_F(ControlServerTest, MissingFolderReturnsEnoentAndThePath) {
  const auto thrown =
      thrown_by([&] { const ControlServer server(folder.file("missing/control.sock"), echo); });
  EXPECT_EQ(thrown.code, ENOENT);
  EXPECT_TRUE(thrown.says("missing/control.sock")) << thrown.what;
}
