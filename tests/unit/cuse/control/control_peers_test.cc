// The users that may use the control socket, whatever the mode of its file is.

#include "cuse/control/control_peers.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>

#include "cuse/control/control_client.h"
#include "cuse/control/control_server.h"
#include "tests/support/captured_log.h"
#include "tests/support/child_process.h"
#include "tests/support/other_user.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thrown.h"

using base::UniqueFd;
using cuse::ask_daemon;
using cuse::ControlPeers;
using cuse::ControlReply;
using cuse::ControlServer;
using nlohmann::json;

namespace {

constexpr const char* refusal = "user 65534 may not control this fbemud; only root may";

class ControlPeersTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "this test needs root, to be another user in a child process";
    // The check must not depend on the modes.
    std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  }
  void serve() {
    server.emplace(path, [this](const std::string& command) {
      ++handled;
      ControlReply reply;
      reply.body = {{"command", command}};
      return reply;
    });
    ASSERT_EQ(::chmod(path.c_str(), 0777), 0);
  }
  [[nodiscard]] UniqueFd connect() const {
    UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const sockaddr_un address = cuse::make_unix_address(path);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      socket.reset();
    return socket;
  }
  /// Returns the exit status of `body` in a process of another user.
  static int as_user(uid_t user, const std::function<int()>& body) {
    unit::ChildProcess process(
        [&] { return ::setgroups(0, nullptr) == 0 && ::setresuid(user, user, user) == 0 ? body() : 99; });
    return process.wait();
  }
  static std::string receive(const UniqueFd& socket) {
    std::string text(4096, '\0');
    const ssize_t size = ::recv(socket.get(), text.data(), text.size(), 0);
    return size <= 0 ? "" : text.substr(0, static_cast<size_t>(size));
  }

  unit::CapturedLog log;
  unit::TemporaryFolder folder;
  std::string path = folder.file("control.sock");
  std::atomic<int> handled{0};
  std::optional<ControlServer> server;
};

}  // namespace

TEST_F(ControlPeersTest, RequestOfAnotherUserIsAnsweredWithTheReason) {
  serve();
  EXPECT_EQ(as_user(unit::other_user,
                    [&] {
                      const auto thrown =
                          unit::thrown_by([&] { static_cast<void>(ask_daemon(path, "status")); });
                      return thrown.what == std::string("fbemud: ") + refusal ? 0 : 1;
                    }),
            0);
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(ask_daemon(path, "status").body["command"], "status");
}

TEST_F(ControlPeersTest, RefusedPeerReceivesOneLineAndTheEndWithoutARequest) {
  serve();
  const int status = as_user(unit::other_user, [&] {
    const UniqueFd client = connect();
    if (receive(client) != json{{"error", refusal}}.dump()) return 1;
    return receive(client).empty() ? 0 : 2;
  });
  EXPECT_EQ(status, 0);
}

TEST_F(ControlPeersTest, RefusalReachesPeersThatSendAtTheSameTime) {
  serve();
  const int status = as_user(unit::other_user, [&] {
    for (int i = 0; i < 50; ++i) {
      const UniqueFd client = connect();
      // Waits when the queue is full, and goes on as soon as the server empties it.
      while (::send(client.get(), R"({"command": "status"})", 21, MSG_NOSIGNAL) > 0) {
      }
      if (receive(client) != json{{"error", refusal}}.dump()) return 1;
    }
    return 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(handled, 0);
}

TEST_F(ControlPeersTest, RefusedPeersDoNotTakeThePlacesOfOthers) {
  serve();
  const int status = as_user(unit::other_user, [&] {
    std::array<UniqueFd, 40> clients;
    for (UniqueFd& client : clients) client = connect();
    for (const UniqueFd& client : clients) {
      if (receive(client).empty()) return 1;
    }
    // Still open here.
    return 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ask_daemon(path, "status").body["command"], "status");
}

TEST_F(ControlPeersTest, ConnectionKeepsTheUserThatMadeIt) {
  serve();
  const UniqueFd client = connect();
  const int status = as_user(unit::other_user, [&] {
    ::send(client.get(), R"({"command": "mine"})", 19, MSG_NOSIGNAL);
    return receive(client) == R"({"command":"mine"})" ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

TEST_F(ControlPeersTest, RefusalIsLoggedOnceForEachUser) {
  serve();
  for (const uid_t user : {1001U, 1002U}) {
    const int status = as_user(user, [&] {
      for (int i = 0; i < 20; ++i) static_cast<void>(receive(connect()));
      return 0;
    });
    EXPECT_EQ(status, 0);
  }
  server->stop();
  EXPECT_EQ(log.count("refused user 1001 at the control socket " + path), 1);
  EXPECT_EQ(log.count("refused user"), 2);
}

TEST_F(ControlPeersTest, LogEndsAfterSixteenUsers) {
  serve();
  for (uid_t user = 2000; user < 2040; ++user) {
    EXPECT_EQ(as_user(user, [&] { return receive(connect()).empty() ? 1 : 0; }), 0);
  }
  server->stop();
  EXPECT_EQ(log.count("refused user"), 16);
  EXPECT_EQ(log.count("refused user 2015 at the control socket " + path +
                      "; refusals of further users are not logged"),
            1);
}

TEST_F(ControlPeersTest, OwnerAndRootAreAdmitted) {
  std::array<int, 2> ends{-1, -1};
  unit::ChildProcess process([&] {
    if (::setresuid(1001, 1001, 1001) != 0) return 99;
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return 98;
    if (ControlPeers(path, 1001).check(ends[0])) return 1;
    const auto refused = ControlPeers(path, 1002).check(ends[0]);
    const std::string expected =
        "user 1001 may not control this fbemud; only root and user 1002, who runs it, may";
    return refused.value_or("") == expected ? 0 : 2;
  });
  EXPECT_EQ(process.wait(), 0);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  const UniqueFd one(ends[0]);
  const UniqueFd other(ends[1]);
  EXPECT_EQ(ControlPeers(path, 1001).check(one.get()), std::nullopt) << "root";
}

TEST_F(ControlPeersTest, PeerWithoutCredentialsIsRefused) {
  const unit::Pipe pipe;
  EXPECT_EQ(ControlPeers(path, 0).check(pipe.out.get()), "the user of this connection is unknown");
}
