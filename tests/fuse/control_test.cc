// The control socket and the users that may use it.

#include <sys/stat.h>

#include "user_fixture.h"

namespace fuse_test {
namespace {

class ControlTest : public UserTest {
 protected:
  /// Runs fbemuctl as the unprivileged user, with a socket that everyone may open.
  [[nodiscard]] Ended ask_as_user(const Daemon& daemon, const std::string& command) const {
    EXPECT_EQ(::chmod(daemon.control().c_str(), 0777), 0);
    return run({home() + "/fbemuctl", "--control", daemon.control(), command, home() + "/shot.png"},
               as_user());
  }
};

TEST_F(ControlTest, AnotherUserIsRefusedWithTheReasonAndLoggedOnce) {
  Daemon& daemon = start();
  daemon.expect_warnings();
  for (int i = 0; i < 5; ++i) {
    const Ended refused = ask_as_user(daemon, "screenshot");
    EXPECT_EQ(refused.exit_status, 1);
    EXPECT_NE(refused.errors.find("fbemud: user 34 may not control this fbemud; only root may"),
              std::string::npos)
        << refused.errors;
  }
  EXPECT_FALSE(std::filesystem::exists(home() + "/shot.png"));
  daemon.end();
  const std::string line = "refused user 34 at the control socket " + daemon.control();
  const size_t first = daemon.log().find(line);
  EXPECT_NE(first, std::string::npos) << daemon.log();
  EXPECT_EQ(daemon.log().find(line, first + 1), std::string::npos) << daemon.log();
}

TEST_F(ControlTest, UserThatRunsTheDaemonAndRootAreAnswered) {
  Daemon& daemon = start(daemon_of_user());
  EXPECT_EQ(ask_as_user(daemon, "screenshot").exit_status, 0);
  EXPECT_TRUE(same(read_png(home() + "/shot.png"), black_picture(640, 480)));
  EXPECT_EQ(daemon.status().at("device"), daemon.device()) << "asked by root";
}

}  // namespace
}  // namespace fuse_test
