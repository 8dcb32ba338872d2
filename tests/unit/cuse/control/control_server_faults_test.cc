// The control server without descriptors, memory or threads.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "cuse/control/control_client.h"
#include "cuse/control/control_server.h"
#include "tests/support/captured_log.h"
#include "tests/support/child_process.h"
#include "tests/support/eventually.h"
#include "tests/support/other_user.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thrown.h"

using base::UniqueFd;
using cuse::ControlReply;
using cuse::ControlServer;
using nlohmann::json;

namespace {

/// A resource limit of this process, until the end of the scope.
class Limit {
 public:
  Limit(__rlimit_resource resource, rlim_t value) : resource_(resource) {
    ::getrlimit(resource_, &before_);
    const rlimit lower{value, before_.rlim_max};
    EXPECT_EQ(::setrlimit(resource_, &lower), 0);
  }
  ~Limit() { ::setrlimit(resource_, &before_); }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  __rlimit_resource resource_;
  rlimit before_{};
};

/// Opens every descriptor that this process can still have, until the end of the scope.
class AllDescriptors {
 public:
  AllDescriptors() {
    for (UniqueFd next(open_one()); next; next.reset(open_one())) taken_.push_back(std::move(next));
    EXPECT_EQ(errno, EMFILE);
  }
  AllDescriptors(const AllDescriptors&) = delete;
  AllDescriptors& operator=(const AllDescriptors&) = delete;
  ~AllDescriptors() = default;

 private:
  static int open_one() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
  Limit limit_{RLIMIT_NOFILE, 256};
  std::vector<UniqueFd> taken_;
};

ControlReply echo(const std::string& command) {
  if (command == "throw") throw 42;  // not a std::exception
  ControlReply reply;
  reply.body = {{"command", command}};
  return reply;
}

class ControlServerFaults : public testing::Test {
 protected:
  static UniqueFd make_socket() { return UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)); }
  void connect(const UniqueFd& socket) const {
    const sockaddr_un address = cuse::make_unix_address(path);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  [[nodiscard]] UniqueFd connect() const {
    UniqueFd socket = make_socket();
    connect(socket);
    return socket;
  }
  static json ask(const UniqueFd& socket, const std::string& command) {
    const std::string text = json{{"command", command}}.dump();
    EXPECT_EQ(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
    return receive(socket);
  }
  static json receive(const UniqueFd& socket) {
    std::string text(65'536, '\0');
    const ssize_t size = ::recv(socket.get(), text.data(), text.size(), 0);
    return size > 0 ? json::parse(text.substr(0, static_cast<size_t>(size))) : json();
  }

  unit::CapturedLog log;
  unit::TemporaryFolder folder;
  std::string path = folder.file("control.sock");
};

}  // namespace

TEST_F(ControlServerFaults, AcceptWithoutDescriptorsIsNotRetriedAtEachEventAndWarnsOnce) {
  const ControlServer server(path, echo);
  const UniqueFd first = connect();
  ASSERT_EQ(ask(first, "here")["command"], "here");
  const UniqueFd waiting = make_socket();
  {
    const AllDescriptors none_left;
    connect(waiting);
    const std::string text = json{{"command", "late"}}.dump();
    ASSERT_GT(::send(waiting.get(), text.data(), text.size(), MSG_NOSIGNAL), 0);
    // Each request wakes the thread once; a server that polls the listener would try at each.
    constexpr int requests = 2000;
    for (int i = 0; i < requests; ++i) ASSERT_EQ(ask(first, "here")["command"], "here");
  }
  EXPECT_EQ(receive(waiting)["command"], "late");
  EXPECT_EQ(log.count("warning: cannot accept a client of the control socket " + path), 1U);
  EXPECT_LE(log.count("cannot accept a client"), 100U);
}

TEST_F(ControlServerFaults, FailingPollIsLoggedOnceAndRetried) {
  const ControlServer server(path, echo);
  const UniqueFd client = connect();
  ASSERT_EQ(ask(client, "here")["command"], "here");
  {
    // poll(2) returns EINVAL for more entries than the process may have descriptors.
    const Limit limit(RLIMIT_NOFILE, 1);
    const std::string text = json{{"command", "late"}}.dump();
    ASSERT_GT(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL), 0);
    EXPECT_TRUE(unit::eventually([&] { return log.count("cannot wait for clients") > 0; }));
  }
  EXPECT_EQ(receive(client)["command"], "late");
  EXPECT_EQ(ask(client, "again")["command"], "again");
  EXPECT_EQ(log.count("warning: cannot wait for clients of the control socket " + path), 1U);
}

TEST_F(ControlServerFaults, NonStandardExceptionOfTheHandlerIsAnErrorAnswer) {
  const ControlServer server(path, echo);
  const UniqueFd client = connect();
  EXPECT_TRUE(ask(client, "throw").contains("error"));
  EXPECT_EQ(ask(client, "next")["command"], "next");
}

TEST_F(ControlServerFaults, FailingThreadStartThrowsAndLeavesNoSocket) {
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  unit::ChildProcess process([&] {
    if (::geteuid() == 0 && !unit::become_other_user()) return 2;
    const Limit limit(RLIMIT_NPROC, 0);
    const auto thrown = unit::thrown_by([&] { const ControlServer server(path, echo); });
    const bool named =
        thrown.code == EAGAIN && thrown.says("cannot start the thread for the control socket " + path);
    return named ? 0 : 1;
  });
  EXPECT_EQ(process.wait(), 0);
  EXPECT_TRUE(folder.is_empty());
}
