// Failed starts: each reports its cause and leaves nothing behind.

#include <fcntl.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>

#include "cuse/service/runtime_files.h"
#include "daemon.h"
#include "device_file.h"
#include "private_mounts.h"

namespace fuse_test {
namespace {

class StartTest : public DaemonTest {
 protected:
  /// Starts fbemud, which must fail with a message that contains each of `texts`, and leave nothing behind.
  void fails(const std::vector<std::string>& words, const std::vector<std::string>& texts,
             const ProcessOptions& options = {}) {
    std::vector<std::string> line{FBEMUD_PATH};
    line.insert(line.end(), words.begin(), words.end());
    const auto before = files();
    const Ended ended = run(line, options);
    EXPECT_EQ(ended.exit_status, 1) << ended.errors;
    for (const std::string& text : texts)
      EXPECT_NE(ended.errors.find(text), std::string::npos) << text << "\n" << ended.errors;
    EXPECT_EQ(files(), before);
    EXPECT_EQ(mounts_with(folder()), std::vector<std::string>{});
    EXPECT_FALSE(
        std::filesystem::exists(cuse::runtime_directory() + "/" + cuse::runtime_name(file("fb")) + ".lock"));
  }

 private:
  std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder()))
      names.push_back(entry.path());
    return names;
  }
};

TEST_F(StartTest, ImpossibleModeFails) {
  const std::vector<std::string> device{"--device", file("fb")};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.begin(), device.begin(), device.end());
    return words;
  };
  fails(with({"--card", "headless", "--mode", "9000x9000"}), {"no mode of 9000x9000"});
  fails(with({"--card", "headless", "--mode", "4x4"}), {"no mode of 4x4"});
  fails(with({"--card", "headless:9000x9000"}), {"8192x8192"});
  fails(with({"--card", "headless:640"}), {"headless:640"});
  fails(with({"--card", "headless:640x480@fast"}), {"640x480@fast"});
  fails(with({"--card", "headless", "--virtual", "60000x60000"}), {"4 GiB"});
  fails(with({"--card", "headless", "--connector", "HDMI-A-7"}), {"HDMI-A-7", "Virtual-1"});
}

TEST_F(StartTest, InvalidCardFails) {
  fails({"--device", file("fb"), "--card", "best"}, {"\"best\"", "headless"});
  fails({"--device", file("fb"), "--card", "/dev/null"}, {"/dev/null"});
  fails({"--device", file("fb"), "--card", ""}, {"card"});
}

TEST_F(StartTest, DeviceInMissingFolderFails) {
  fails({"--device", file("missing/fb"), "--card", "headless"},
        {file("missing"), "No such file or directory"});
}

TEST_F(StartTest, DeviceThatIsFolderFails) {
  ASSERT_TRUE(std::filesystem::create_directory(file("folder")));
  fails({"--device", file("folder"), "--card", "headless"}, {file("folder"), "is a folder"});
  fails({"--device", file("folder/"), "--card", "headless"}, {"is a folder"});
  fails({"--device", "/", "--card", "headless"}, {"is a folder"});
}

TEST_F(StartTest, DeviceThatIsPipeFails) {
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  fails({"--device", file("pipe"), "--card", "headless"},
        {file("pipe"), "neither a character device nor a plain file"});
}

TEST_F(StartTest, EmptyDeviceFails) {
  fails({"--device", "", "--card", "headless"}, {"device"});
}

TEST_F(StartTest, InvalidControlSocketFails) {
  const std::vector<std::string> start{"--device", file("fb"), "--card", "headless", "--control"};
  const auto with = [&](const std::string& control) {
    std::vector<std::string> words = start;
    words.push_back(control);
    return words;
  };
  fails(with(file("missing/control")), {file("missing/control")});
  fails(with(file(std::string(120, 'x'))), {"107 bytes"});
  write_file(file("plain"), "mine");
  fails(with(file("plain")), {file("plain"), "no socket"});
  EXPECT_EQ(read_file(file("plain")), "mine");
}

TEST_F(StartTest, FolderWithoutPermissionFails) {
  constexpr uid_t nobody = 65'534;
  // Other users may have no access to the build folder.
  std::filesystem::copy_file(FBEMUD_PATH, file("fbemud"));
  ::chmod(file("fbemud").c_str(), 0755);
  const Ended ended = run({file("fbemud"), "--device", file("fb"), "--card", "headless"},
                          {.environment = {{"XDG_RUNTIME_DIR", "/tmp"}}, .prepare = [] {
                             return ::setgroups(0, nullptr) == 0 &&
                                    ::setresgid(nobody, nobody, nobody) == 0 &&
                                    ::setresuid(nobody, nobody, nobody) == 0;
                           }});
  EXPECT_EQ(ended.exit_status, 1);
  EXPECT_NE(ended.errors.find("cannot make the device " + file("fb")), std::string::npos) << ended.errors;
  EXPECT_NE(ended.errors.find("Permission denied"), std::string::npos) << ended.errors;
  EXPECT_FALSE(std::filesystem::exists(file("fb")));
  std::filesystem::remove("/tmp/fbemu");
}

TEST_F(StartTest, MissingDevFuseFails) {
  const std::string cover = file("cover");
  ASSERT_TRUE(std::filesystem::create_directory(cover));
  fails({"--device", file("fb"), "--card", "headless"},
        {"cannot open /dev/fuse", "No such file or directory"},
        {.prepare = [] { return leave_mount_namespace() && cover_with_tmpfs("/dev", "size=16k"); }});
}

TEST_F(StartTest, InaccessibleDevFuseFails) {
  // In a container the node may exist but not be accessible.
  const std::string cover = file("cover");
  ASSERT_TRUE(std::filesystem::create_directory(cover));
  fails({"--device", file("fb"), "--card", "headless"}, {"cannot open /dev/fuse"}, {.prepare = [&] {
          return leave_mount_namespace() &&
                 ::mount("tmpfs", cover.c_str(), "tmpfs", MS_NODEV, "size=16k") == 0 &&
                 ::mknod((cover + "/fuse").c_str(), S_IFCHR | 0666, makedev(10, 229)) == 0 &&
                 cover_with(cover + "/fuse", "/dev/fuse");
        }});
}

TEST_F(StartTest, MissingDevCuseIsReportedInLogAndStatus) {
  const auto cover_dev = [] {
    return leave_mount_namespace() && cover_with_tmpfs("/dev", "size=16k,mode=755") &&
           ::mknod("/dev/fuse", S_IFCHR | 0666, makedev(10, 229)) == 0;
  };
  const std::vector<std::string> words{FBEMUD_PATH,      "--device",  "/dev/fb0",     "--card",
                                       "headless:64x64", "--control", file("control")};
  std::vector<std::string> asked = words;
  asked.insert(asked.end(), {"--", FBEMUCTL_PATH, "status"});
  const Ended without = run(asked, {.prepare = cover_dev});
  EXPECT_EQ(without.exit_status, 0);
  EXPECT_NE(without.errors.find("warning: there is no /dev/cuse: load the module (modprobe cuse)"),
            std::string::npos)
      << without.errors;
  EXPECT_NE(without.output.find("file (there is no /dev/cuse"), std::string::npos) << without.output;
  asked.insert(asked.begin() + 1, "--no-cuse");
  const Ended wanted = run(asked, {.prepare = cover_dev});
  EXPECT_EQ(wanted.exit_status, 0);
  EXPECT_EQ(wanted.errors.find("warning:"), std::string::npos) << wanted.errors;
  EXPECT_NE(wanted.output.find("file (--no-cuse was given)"), std::string::npos) << wanted.output;
}

TEST_F(StartTest, SecondDaemonOnSameDeviceFails) {
  Daemon& first = start();
  const DeviceFile device(first.device());
  const DeviceMap map(device);
  map[0] = 0x123456;
  for (const std::string& path : {first.device(), folder() + "/./fb",
                                  folder() + "/../" + folder().substr(folder().rfind('/') + 1) + "/fb"}) {
    const Ended second = run({FBEMUD_PATH, "--device", path, "--card", "headless"});
    EXPECT_EQ(second.exit_status, 1);
    EXPECT_NE(second.errors.find("process " + std::to_string(first.process().id())), std::string::npos)
        << second.errors;
  }
  ASSERT_EQ(::symlink(first.device().c_str(), file("link").c_str()), 0);
  const Ended linked = run({FBEMUD_PATH, "--device", file("link"), "--card", "headless"});
  EXPECT_EQ(linked.exit_status, 1);
  EXPECT_NE(linked.errors.find("process " + std::to_string(first.process().id())), std::string::npos)
      << linked.errors;

  map[1] = 0x654321;
  const Picture screen = first.screenshot();
  EXPECT_EQ(screen.at(0, 0), 0x123456U);
  EXPECT_EQ(screen.at(1, 0), 0x654321U);
  EXPECT_EQ(device.var().xres, 640U);
}

TEST_F(StartTest, SecondDaemonOnSameControlSocketFails) {
  Daemon& first = start();
  const Ended second =
      run({FBEMUD_PATH, "--device", file("other"), "--card", "headless", "--control", first.control()});
  EXPECT_EQ(second.exit_status, 1);
  EXPECT_NE(second.errors.find(first.control()), std::string::npos) << second.errors;
  EXPECT_FALSE(std::filesystem::exists(file("other")));
  EXPECT_EQ(first.status().at("device"), first.device()) << "the socket of the first daemon still works";
}

}  // namespace
}  // namespace fuse_test
