#include "cuse/service/service_notification.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/unique_fd.h"
#include "tests/support/temporary_folder.h"

TEST(ServiceNotification, IsSentToTheSocketOfTheServiceManager) {
  const unit::TemporaryFolder folder;
  const std::string path = folder.file("notify");
  const base::UniqueFd manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(::bind(manager.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);

  cuse::notify_service_manager("READY=1");

  std::array<char, 64> text{};
  const ssize_t size = ::recv(manager.get(), text.data(), text.size(), 0);
  ::unsetenv("NOTIFY_SOCKET");
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::string(text.data(), static_cast<size_t>(size)), "READY=1");
}
