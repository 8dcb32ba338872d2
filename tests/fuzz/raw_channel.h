#pragma once

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "tests/fuzz/fuzz.h"

namespace fuzz {

/// A child process whose memory the ioctls of a session access. It has 64 KiB at `address`; ioctls may also
/// destroy it, since their pointers are arbitrary.
class Caller {
 public:
  static constexpr uint64_t address = 0x1000'0000;
  static constexpr size_t size = 65'536;

  Caller() : process_(::fork()) {
    if (process_ == 0) wait_to_be_killed();
    require(process_ > 0, "a process can be made");
  }
  ~Caller() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  /// Returns the process, which is replaced if it was destroyed.
  static pid_t process() {
    static std::unique_ptr<Caller> caller;
    if (caller == nullptr || ::waitpid(caller->process_, nullptr, WNOHANG) != 0)
      caller = std::make_unique<Caller>();
    return caller->process_;
  }

 private:
  [[noreturn]] static void wait_to_be_killed() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close_range(0, ~0U, 0);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the seeds name this address.
    ::mmap(reinterpret_cast<void*>(address), size, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    for (;;) ::pause();
  }

  pid_t process_;
};

/// The kernel's end of a FUSE or CUSE channel, which sends the frames of an input. As the kernel does, it
/// numbers the requests, and gives them their true lengths and a calling process.
class RawChannel {
 public:
  RawChannel() : listener_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    // An abstract name, which leaves no file.
    static std::atomic<unsigned> last;
    const std::string name = "fbemu-fuzz-" + std::to_string(::getpid()) + "-" + std::to_string(++last);
    address_.sun_family = AF_UNIX;
    name.copy(static_cast<char*>(address_.sun_path) + 1, sizeof address_.sun_path - 1);
    require(::bind(listener_.get(), address(), sizeof address_) == 0, "the channel has a name");
    require(::listen(listener_.get(), 1) == 0, "the channel can be opened");
  }

  /// Returns the daemon's end, perhaps in another table of descriptors.
  [[nodiscard]] base::UniqueFd connect() const {
    base::UniqueFd end(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    require(restarted([&] { return ::connect(end.get(), address(), sizeof address_); }) == 0,
            "the channel can be opened");
    require(::fcntl(end.get(), F_SETFL, O_NONBLOCK) == 0, "the channel does not block");
    return end;
  }
  void accept() {
    end_.reset(restarted([&] { return ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC); }));
  }

  /// Sends the request that begins a session.
  void initialize(uint32_t opcode) {
    fuse_init_in init{};
    init.major = FUSE_KERNEL_VERSION;
    init.minor = 31;
    init.max_readahead = 4096;
    std::vector<std::byte> body(sizeof init);
    std::memcpy(body.data(), &init, sizeof init);
    send(opcode, std::move(body), 0);
    receive_until(0);
  }
  /// Sends the next frame of the input: opcode, flags, the length of the body (2 bytes), body. Most frames
  /// are answered before the next one is sent.
  void send_next(Input& input) {
    constexpr uint8_t at_once = 1;
    constexpr size_t most_pending = 4;
    const auto code = input.take<uint8_t>();
    const auto flags = input.take<uint8_t>();
    const auto body = input.take_bytes(input.take<uint16_t>());
    // CUSE_INIT is the only opcode above those of FUSE.
    const uint32_t opcode = code == 0xff ? uint32_t{CUSE_INIT} : code;
    send(opcode, {body.begin(), body.end()}, flags);
    const bool changes_session = opcode == FUSE_INIT || opcode == CUSE_INIT || opcode == FUSE_DESTROY;
    const bool waits = (flags & at_once) == 0 || changes_session || opcode == FUSE_READ;
    receive_until(waits ? 0 : most_pending);
  }
  /// Receives the answers to all requests.
  void receive_all() { receive_until(0); }

 private:
  static constexpr size_t smallest_body = 256;

  [[nodiscard]] const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&address_); }

  /// Returns true if the kernel expects no answer. libfuse gives one in some states of the session.
  [[nodiscard]] static bool is_one_way(uint32_t opcode) {
    return opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET || opcode == FUSE_INTERRUPT ||
           opcode == FUSE_NOTIFY_REPLY;
  }

  template <typename T, typename Change>
  static void change(std::vector<std::byte>& body, Change changes) {
    T object;
    std::memcpy(&object, body.data(), sizeof object);
    changes(object);
    std::memcpy(body.data(), &object, sizeof object);
  }
  /// Gives a body what libfuse takes on trust: the length of each structure and of the data behind it, and
  /// numbers of requests that exist.
  void complete(uint32_t opcode, std::vector<std::byte>& body) const {
    if (body.size() < smallest_body) body.resize(smallest_body);
    // The kernel cuts the reads of a CUSE device into pieces of 32 pages.
    constexpr uint32_t most_read = 131'072;
    if (opcode == FUSE_READ) change<fuse_read_in>(body, [](auto& in) { in.size %= most_read + 1; });
    if (opcode == FUSE_WRITE) {
      change<fuse_write_in>(body, [&](auto& in) {
        in.size = static_cast<uint32_t>(std::min<size_t>(in.size, body.size() - sizeof in));
      });
    }
    if (opcode == FUSE_BATCH_FORGET) {
      change<fuse_batch_forget_in>(body, [&](auto& in) {
        in.count %= static_cast<uint32_t>((body.size() - sizeof in) / sizeof(fuse_forget_one));
      });
    }
    if (opcode == FUSE_INTERRUPT) {
      change<fuse_interrupt_in>(body,
                                [&](auto& in) { in.unique = in.unique % (last_unique_ + 4) & ~uint64_t{1}; });
    }
  }
  void send(uint32_t opcode, std::vector<std::byte> body, uint8_t flags) {
    constexpr uint8_t unknown_caller = 2;
    constexpr uint8_t no_caller = 4;
    complete(opcode, body);
    fuse_in_header header{};
    header.len = static_cast<uint32_t>(sizeof header + body.size());
    header.opcode = opcode;
    header.unique = last_unique_ += 2;
    header.nodeid = FUSE_ROOT_ID;
    header.uid = flags >> 4U;
    constexpr uint32_t beyond_pids = 0x7fff'ffff;
    header.pid = (flags & no_caller) != 0        ? 0
                 : (flags & unknown_caller) != 0 ? beyond_pids
                                                 : static_cast<uint32_t>(Caller::process());
    std::vector<std::byte> frame(sizeof header);
    std::memcpy(frame.data(), &header, sizeof header);
    frame.insert(frame.end(), body.begin(), body.end());
    const auto sent = restarted([&] { return ::send(end_.get(), frame.data(), frame.size(), MSG_NOSIGNAL); });
    require(sent == static_cast<ssize_t>(frame.size()), "the session receives every request");
    if (is_one_way(opcode)) {
      one_way_.insert(last_unique_);
    } else {
      ++pending_;
    }
  }
  void receive_until(size_t most_pending) {
    while (pending_ > most_pending) receive();
  }
  void receive() {
    constexpr int limit_ms = 8000;
    pollfd event{end_.get(), POLLIN, 0};
    require(restarted([&] { return ::poll(&event, 1, limit_ms); }) == 1, "every request is answered");
    static std::array<std::byte, 262'144> bytes;
    const auto size = restarted([&] { return ::recv(end_.get(), bytes.data(), bytes.size(), 0); });
    require(size > 0, "the session does not end");
    fuse_out_header header{};
    require(size >= static_cast<ssize_t>(sizeof header), "an answer has a header");
    std::memcpy(&header, bytes.data(), sizeof header);
    require(header.len == static_cast<size_t>(size), "an answer has its length in the header");
    require(header.error <= 0 && header.error > -1000, "an answer has an errno that the kernel accepts");
    require(header.unique <= last_unique_ && header.unique % 2 == 0, "an answer belongs to a request");
    if (!one_way_.contains(header.unique)) --pending_;
  }

  base::UniqueFd listener_;
  base::UniqueFd end_;
  sockaddr_un address_{};
  uint64_t last_unique_ = 0;
  std::set<uint64_t> one_way_;  ///< requests that need no answer
  size_t pending_ = 0;
};

}  // namespace fuzz
