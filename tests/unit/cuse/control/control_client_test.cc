#include "cuse/control/control_client.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <thread>

#include "cuse/control/control_server.h"
#include "cuse/service/runtime_files.h"
#include "tests/support/child_process.h"
#include "tests/support/environment.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thrown.h"
#include "tests/support/unprivileged_user.h"

using cuse::ask_daemon;
using cuse::ControlReply;
using cuse::ControlServer;
using cuse::find_control_socket;
using unit::Environment;
using unit::thrown_by;

TEST(FindControlSocket, GivenPathWins) {
  const Environment variable("FBEMU_CONTROL", "/somewhere/else.sock");
  EXPECT_EQ(find_control_socket("/wanted.sock"), "/wanted.sock");
}

TEST(FindControlSocket, EnvironmentVariableIsUsedWithoutAPath) {
  const Environment variable("FBEMU_CONTROL", "/from/environment.sock");
  EXPECT_EQ(find_control_socket(std::nullopt), "/from/environment.sock");
}

namespace {

/// A user with a private runtime folder. The daemons of root share one folder of the machine, which a test
/// must not use.
class FindTheOnlyDaemon : public testing::Test {
 protected:
  void SetUp() override { cuse::make_runtime_directory(); }
  static void make(const std::string& name) { std::ofstream(cuse::runtime_directory() + "/" + name) << ""; }

  unit::UnprivilegedUser user;
  unit::TemporaryFolder folder;
  Environment runtime{"XDG_RUNTIME_DIR", folder.path()};
  Environment control{"FBEMU_CONTROL", std::nullopt};
};

}  // namespace

TEST_F(FindTheOnlyDaemon, ReturnsItsSocket) {
  make("dev-fb0.sock");
  make("dev-fb0.lock");
  EXPECT_EQ(find_control_socket(std::nullopt), folder.path() + "/fbemu/dev-fb0.sock");
}

TEST_F(FindTheOnlyDaemon, NoDaemonThrowsWithTheFolder) {
  const auto thrown = thrown_by([] { static_cast<void>(find_control_socket(std::nullopt)); });
  EXPECT_TRUE(thrown.says(folder.path() + "/fbemu")) << thrown.what;
  EXPECT_TRUE(thrown.says("--control")) << thrown.what;
}

TEST_F(FindTheOnlyDaemon, SeveralDaemonsAreListed) {
  make("dev-fb0.sock");
  make("dev-fb1.sock");
  const auto thrown = thrown_by([] { static_cast<void>(find_control_socket(std::nullopt)); });
  EXPECT_TRUE(thrown.says("--control " + folder.path() + "/fbemu/dev-fb0.sock")) << thrown.what;
  EXPECT_TRUE(thrown.says("--control " + folder.path() + "/fbemu/dev-fb1.sock")) << thrown.what;
}

TEST(AskDaemon, MissingSocketThrowsWithThePath) {
  const unit::TemporaryFolder folder;
  const auto thrown = thrown_by([&] { static_cast<void>(ask_daemon(folder.file("none.sock"), "status")); });
  EXPECT_EQ(thrown.code, ENOENT);
  EXPECT_TRUE(thrown.says("no fbemud answers at " + folder.file("none.sock"))) << thrown.what;
}

TEST(AskDaemon, DescriptorOfEmptyAnswerIsClosed) {
  const unit::TemporaryFolder folder;
  const cuse::ControlSocket socket(folder.file("a.sock"));
  unit::Pipe pipe;
  std::thread daemon([&] {
    pollfd event{socket.descriptor(), POLLIN, 0};
    EXPECT_EQ(::poll(&event, 1, -1), 1);
    const base::UniqueFd client(::accept4(socket.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
    std::array<char, 64> request{};
    EXPECT_GT(::recv(client.get(), request.data(), request.size(), 0), 0);
    msghdr message{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int descriptor = pipe.in.get();
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    EXPECT_EQ(::sendmsg(client.get(), &message, MSG_NOSIGNAL), 0);
  });
  const auto thrown = thrown_by([&] { static_cast<void>(ask_daemon(socket.path(), "screenshot")); });
  daemon.join();
  EXPECT_EQ(thrown.code, ECONNRESET);
  pipe.in.reset();
  pollfd event{pipe.out.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&event, 1, 0), 1) << "the pipe has a writer";
}

TEST(AskDaemon, RefusalThrowsWithTheTextOfTheDaemon) {
  const unit::TemporaryFolder folder;
  const ControlServer server(folder.file("a.sock"), [](const std::string& word) -> ControlReply {
    throw std::runtime_error("no " + word);
  });
  const auto thrown = thrown_by([&] { static_cast<void>(ask_daemon(folder.file("a.sock"), "dancing")); });
  EXPECT_EQ(thrown.what, "fbemud: no dancing");
}

TEST(AskDaemon, AnswerWithOtherMembersBesideErrorIsNoRefusal) {
  const unit::TemporaryFolder folder;
  const ControlServer server(folder.file("a.sock"), [](const std::string&) {
    ControlReply reply;
    reply.body = {{"error", "Device or resource busy"}, {"device", "/dev/fb0"}};
    return reply;
  });
  EXPECT_EQ(ask_daemon(folder.file("a.sock"), "status").body["device"], "/dev/fb0");
}

TEST(AskDaemon, DaemonThatClosesTheConnectionThrowsEconnreset) {
  const unit::TemporaryFolder folder;
  const std::string path = folder.file("a.sock");
  const base::UniqueFd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const sockaddr_un address = cuse::make_unix_address(path);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  std::thread daemon([&] {
    const base::UniqueFd client(::accept(listener.get(), nullptr, nullptr));
    char byte = 0;
    static_cast<void>(::recv(client.get(), &byte, 1, 0));
  });
  const auto thrown = thrown_by([&] { static_cast<void>(ask_daemon(path, "status")); });
  daemon.join();
  EXPECT_EQ(thrown.code, ECONNRESET);
  EXPECT_TRUE(thrown.says(path + " does not answer")) << thrown.what;
}
