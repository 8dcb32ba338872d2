// fbemuctl with the answers of any daemon: it ends with status 0 or 1, and leaves no descriptor open.
//
// Input: a line with a command (status, modes, stats, screenshot), perhaps --json, and the size of a file
// that comes with the answer; then the answer.
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cuse/control/control_socket.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/temporary_folder.h"

// The whole program, under another name.
#define main fbemuctl_main
#include "cuse/bin/fbemuctl.cc"
#undef main

namespace {

using fuzz::require;

struct Answer {
  std::string_view text;
  base::UniqueFd file;
};

/// Accepts one client and answers its request.
void serve(const cuse::ControlSocket& socket, const Answer& answer) {
  pollfd event{socket.descriptor(), POLLIN, 0};
  constexpr int limit_ms = 8000;
  require(fuzz::restarted([&] { return ::poll(&event, 1, limit_ms); }) == 1, "fbemuctl connects");
  const base::UniqueFd client(::accept4(socket.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
  std::array<char, 256> request{};
  require(fuzz::restarted([&] { return ::recv(client.get(), request.data(), request.size(), 0); }) > 0,
          "fbemuctl sends a request");
  iovec part{const_cast<char*>(answer.text.data()), answer.text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  if (answer.file) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int descriptor = answer.file.get();
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  static_cast<void>(::sendmsg(client.get(), &message, MSG_NOSIGNAL));
}

/// Standard output and standard error in memory.
class CapturedOutput {
 public:
  CapturedOutput() : out_(std::cout.rdbuf(text_.rdbuf())), errors_(std::cerr.rdbuf(text_.rdbuf())) {}
  ~CapturedOutput() {
    std::cout.rdbuf(out_);
    std::cerr.rdbuf(errors_);
    std::cout.clear();
  }
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;

 private:
  std::ostringstream text_;
  std::streambuf* out_;
  std::streambuf* errors_;
};

ptrdiff_t count_descriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return std::distance(begin(entries), end(entries));
}

int run_program(std::vector<std::string> words) {
  const CapturedOutput captured;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  return fbemuctl_main(static_cast<int>(words.size()), arguments.data());
}

}  // namespace

void fuzz::run(Input input) {
  const std::string line(input.take_line());
  const unit::TemporaryFolder folder;
  std::vector<std::string> words{"fbemuctl", "--control", folder.file("control")};
  const bool takes_picture = line.starts_with("screenshot");
  if (takes_picture) {
    words.insert(words.end(), {"screenshot", folder.file("picture.png")});
  } else {
    words.emplace_back(line.starts_with("status") ? "status" : line.starts_with("modes") ? "modes" : "stats");
    if (line.find("--json") != std::string::npos) words.emplace_back("--json");
  }
  const ptrdiff_t before = count_descriptors();
  {
    Answer answer;
    if (const size_t digits = line.find_first_of("0123456789"); digits != std::string::npos) {
      constexpr long most_bytes = 1'000'000;
      answer.file.reset(::memfd_create("picture", MFD_CLOEXEC));
      const long size = std::clamp(std::strtol(line.c_str() + digits, nullptr, 10), 0L, most_bytes);
      require(::ftruncate(answer.file.get(), size) == 0, "memory suffices");
    }
    answer.text = input.take_rest();
    const cuse::ControlSocket socket(folder.file("control"));
    std::thread server([&] { serve(socket, answer); });
    const int status = run_program(words);
    server.join();
    require(status == EXIT_SUCCESS || status == EXIT_FAILURE, "the exit status is 0 or 1");
    require(takes_picture && status == EXIT_SUCCESS ? std::filesystem::exists(folder.file("picture.png"))
                                                    : !std::filesystem::exists(folder.file("picture.png")),
            "a picture is written if the screenshot succeeds");
  }
  require(count_descriptors() == before, "no descriptor stays open");
}
