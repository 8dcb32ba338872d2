#include "cuse/control/control_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "cuse/keeper/guard.h"
#include "tests/support/child_process.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thrown.h"

using cuse::ControlSocket;
using unit::ChildProcess;
using unit::Pipe;

namespace {

class ControlSocketTest : public testing::Test {
 protected:
  /// Connects to the socket. Returns 0 or the errno.
  [[nodiscard]] int connect() const {
    const base::UniqueFd client(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_un address = cuse::make_unix_address(path);
    return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0
                                                                                                     : errno;
  }
  unit::TemporaryFolder folder;
  std::string path = folder.file("control.sock");
};

}  // namespace

TEST_F(ControlSocketTest, RemovalDeletesItsFile) {
  ControlSocket socket(path);
  socket.remove();
  socket.remove();
  EXPECT_TRUE(folder.is_empty());
}

TEST_F(ControlSocketTest, RemovalKeepsTheSocketOfAnotherDaemon) {
  ControlSocket first(path);
  std::filesystem::remove(path);
  const ControlSocket second(path);
  first.remove();
  EXPECT_EQ(connect(), 0);
}

TEST_F(ControlSocketTest, RemovalKeepsAnotherFileAtThePath) {
  {
    const ControlSocket socket(path);
    std::filesystem::remove(path);
    std::filesystem::create_directory(path);
  }
  EXPECT_TRUE(std::filesystem::is_directory(path));
}

TEST_F(ControlSocketTest, RemovalOfAMovedFromSocketRemovesNothing) {
  ControlSocket first(path);
  const ControlSocket second(std::move(first));
  first.remove();  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(connect(), 0);
}

TEST_F(ControlSocketTest, RemovalRefusesClientsInTheQueueOfASharedSocket) {
  ControlSocket socket(path);
  const base::UniqueFd client(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const sockaddr_un address = cuse::make_unix_address(path);
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const base::UniqueFd shared(::dup(socket.descriptor()));
  socket.remove();
  char byte = 0;
  const ssize_t size = ::recv(client.get(), &byte, 1, MSG_DONTWAIT);
  EXPECT_TRUE(size == 0 || (size < 0 && errno == ECONNRESET)) << size;
}

TEST_F(ControlSocketTest, PathOfAKilledDaemonIsInUseUntilItsGuardRemovesIt) {
  Pipe news;
  Pipe order;
  ChildProcess daemon([&] {
    ControlSocket socket(path);
    const cuse::Guard guard([&] {
      static_cast<void>(order.get());
      socket.remove();
      news.put('c');
    });
    news.put('r');
    unit::wait_to_be_killed();
    return 0;
  });
  news.in.reset();
  ASSERT_EQ(news.get(), 'r');
  daemon.kill();
  EXPECT_EQ(unit::thrown_by([&] { const ControlSocket next(path); }).code, EADDRINUSE);
  order.put('!');
  ASSERT_EQ(news.get(), 'c');
  EXPECT_TRUE(folder.is_empty());
}

TEST_F(ControlSocketTest, GuardKeepsTheSocketOfAnotherDaemon) {
  Pipe news;
  ChildProcess daemon([&] {
    ControlSocket socket(path);
    const cuse::Guard guard([&] {
      socket.remove();
      news.put('c');
    });
    news.put('r');
    unit::wait_to_be_killed();
    return 0;
  });
  news.in.reset();
  ASSERT_EQ(news.get(), 'r');
  std::filesystem::remove(path);
  const ControlSocket next(path);
  daemon.kill();
  ASSERT_EQ(news.get(), 'c');
  EXPECT_EQ(connect(), 0);
}

TEST(UnixAddress, PathMayHave107Bytes) {
  using cuse::make_unix_address;
  EXPECT_STREQ(make_unix_address(std::string(107, 'a')).sun_path, std::string(107, 'a').c_str());
  EXPECT_EQ(unit::thrown_by([] { static_cast<void>(make_unix_address(std::string(108, 'a'))); }).code,
            ENAMETOOLONG);
  EXPECT_EQ(unit::thrown_by([] { static_cast<void>(make_unix_address("")); }).code, ENAMETOOLONG);
}
