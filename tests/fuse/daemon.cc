#include "daemon.h"

#include <linux/capability.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "cuse/control/control_client.h"
#include "cuse/service/runtime_files.h"
#include "private_mounts.h"

namespace fuse_test {
namespace {

using base::UniqueFd;

constexpr int ended_by_signal = 128;

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 || errno != ENOENT;
}

/// Makes a socket for sd_notify(3).
UniqueFd make_notify_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  ::unlink(path.c_str());
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  ::chmod(path.c_str(), 0666);
  return socket;
}

DaemonOptions completed(const std::string& folder, DaemonOptions options) {
  if (options.program.empty()) options.program = FBEMUD_PATH;
  if (options.device.empty()) options.device = folder + "/fb";
  return options;
}

std::vector<std::string> command_line(const DaemonOptions& options, const std::string& control) {
  std::vector<std::string> words{options.program, "--device", options.device, "--card", options.card};
  if (!options.default_control) words.insert(words.end(), {"--control", control});
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  if (options.command.empty()) return words;
  words.emplace_back("--");
  words.insert(words.end(), options.command.begin(), options.command.end());
  return words;
}

ProcessOptions with_notify_socket(ProcessOptions options, const std::string& folder) {
  options.environment["NOTIFY_SOCKET"] = folder + "/notify";
  return options;
}

/// Returns true if the next message is READY=1, as sent by sd_notify(3).
bool is_ready_message(int socket) {
  std::array<char, 4096> text{};
  const ssize_t size = ::recv(socket, text.data(), text.size(), MSG_DONTWAIT);
  return size > 0 && std::string(text.data(), static_cast<size_t>(size)).find("READY=1") != std::string::npos;
}

}  // namespace

std::vector<std::string> mounts_with(const std::string& text) {
  std::ifstream table("/proc/self/mountinfo");
  std::vector<std::string> lines;
  for (std::string line; std::getline(table, line);) {
    if (line.find(text) != std::string::npos) lines.push_back(line);
  }
  return lines;
}

Daemon::Daemon(const std::string& folder, DaemonOptions options)
    : options_(completed(folder, std::move(options))),
      control_(options_.default_control ? cuse::default_control_path(options_.device)
                                        : options_.device + ".control"),
      lock_(cuse::runtime_directory() + "/" + cuse::runtime_name(options_.device) + ".lock"),
      device_stays_(exists(options_.device)),
      notify_socket_(make_notify_socket(folder + "/notify")),
      process_(command_line(options_, control_), with_notify_socket(options_.process, folder)) {
  std::array<pollfd, 2> events{{{notify_socket_.get(), POLLIN, 0}, {process_.descriptor(), POLLIN, 0}}};
  const int limit = static_cast<int>(std::chrono::milliseconds(hang_limit).count());
  if (::poll(events.data(), events.size(), limit) > 0) ready_ = is_ready_message(notify_socket_.get());
  process_.collect();
  watchdog_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  if (ready_) {
    struct stat status {};
    if (::stat(options_.device.c_str(), &status) == 0) connection_ = minor(status.st_dev);
  }
  // With a command, the daemon may have ended already and cannot answer.
  if (!ready_ || !options_.command.empty()) return;
  guard_ = status().at("guard_process").get<pid_t>();
  guard_handle_ = std::make_unique<ProcessHandle>(guard_);
}

Daemon::~Daemon() {
  watchdog_.request_stop();
}

void Daemon::watch(const std::stop_token& stop) {
  constexpr std::chrono::seconds longest_test{100};
  std::unique_lock lock(mutex_);
  if (!ended_.wait_for(lock, stop, longest_test, [&] { return stop.stop_requested(); })) {
    process_.signal(SIGKILL);
    static_cast<void>(connection_ != 0 && abort_connection(connection_));
    ADD_FAILURE() << "the test did not end in time; the daemon was killed";
  }
}

nlohmann::json Daemon::ask(const std::string& command) const {
  return cuse::ask_daemon(control_, command).body;
}

uint64_t Daemon::statistic(const std::string& name) const {
  return ask("stats").at(name).get<uint64_t>();
}

std::string Daemon::tracker() const {
  return ask("stats").at("tracker").get<std::string>();
}

Picture Daemon::screenshot() const {
  const cuse::ControlAnswer answer = cuse::ask_daemon(control_, "screenshot");
  const auto width = answer.body.at("width").get<uint32_t>();
  const auto height = answer.body.at("height").get<uint32_t>();
  std::string bytes(size_t{width} * height * sizeof(uint32_t), '\0');
  if (::pread(answer.descriptor.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw std::runtime_error("the daemon sent no picture");
  }
  return picture_of(bytes, width, height);
}

const std::string& Daemon::log() {
  process_.collect();
  return process_.errors();
}

void Daemon::end(int signal) {
  if (process_.running()) process_.signal(signal);
  check_end();
}

void Daemon::check_end() {
  if (checked_) return;
  checked_ = true;
  const auto status = process_.wait(end_limit);
  if (!status) {
    ADD_FAILURE() << "the daemon did not end within " << end_limit.count() << " ms; killing it";
    process_.signal(SIGKILL);
    if (!process_.wait(end_limit)) {
      ADD_FAILURE() << "the killed daemon did not end; aborting its connection";
      EXPECT_TRUE(connection_ != 0 && abort_connection(connection_) && process_.wait())
          << "the daemon did not end after the abort";
    }
  } else {
    EXPECT_EQ(WIFEXITED(*status) ? WEXITSTATUS(*status) : ended_by_signal + WTERMSIG(*status),
              expected_status_)
        << "the daemon's log: " << process_.errors();
  }
  watchdog_.request_stop();
  EXPECT_TRUE(!guard_handle_ || guard_handle_->ends_within(end_limit)) << "the guard has not ended";
  if (!warnings_) {
    EXPECT_EQ(process_.errors().find("warning:"), std::string::npos) << process_.errors();
    EXPECT_EQ(process_.errors().find("error:"), std::string::npos) << process_.errors();
  }
  if (!leftovers_) check_nothing_left();
}

void Daemon::check_nothing_left() const {
  EXPECT_EQ(mounts_with("fbemud:" + std::to_string(process_.id()) + " "), std::vector<std::string>{});
  EXPECT_EQ(mounts_with(options_.device), std::vector<std::string>{});
  EXPECT_EQ(exists(options_.device), device_stays_) << options_.device;
  EXPECT_FALSE(exists(control_)) << control_;
  EXPECT_FALSE(exists(lock_)) << lock_;
}

void DaemonTest::SetUp() {
  constexpr int read_bounding_set = PR_CAPBSET_READ;
  if (::geteuid() != 0 || ::prctl(read_bounding_set, CAP_SYS_ADMIN, 0, 0, 0) != 1) {
    GTEST_SKIP() << "this test needs root, with CAP_SYS_ADMIN to mount";
  }
  if (::access("/dev/fuse", R_OK | W_OK) != 0)
    GTEST_SKIP() << "this test needs /dev/fuse: the kernel's module fuse";
  std::string name = (std::filesystem::temp_directory_path() / "fbemu-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
  ::chmod(name.c_str(), 0755);
  folder_ = name;
}

void DaemonTest::TearDown() {
  if (folder_.empty()) return;
  end_daemons();
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
  EXPECT_FALSE(error) << error.message();
}

void DaemonTest::end_daemons() {
  for (const auto& daemon : daemons_) daemon->end();
  daemons_.clear();
}

Daemon& DaemonTest::try_to_start(const DaemonOptions& options) {
  daemons_.push_back(std::make_unique<Daemon>(folder_, options));
  return *daemons_.back();
}

Daemon& DaemonTest::start(const DaemonOptions& options) {
  Daemon& daemon = try_to_start(options);
  if (!daemon.ready()) throw std::runtime_error("the daemon did not start: " + daemon.log());
  return daemon;
}

}  // namespace fuse_test
