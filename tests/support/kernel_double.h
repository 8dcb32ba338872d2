#pragma once

#include <gtest/gtest.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "tests/support/eventually.h"

namespace unit {

/// The kernel's end of a FUSE or CUSE channel, which sends given requests and reads the answers. To libfuse a
/// SOCK_SEQPACKET socket works as /dev/fuse: a read returns one request, a write is one answer.
class KernelDouble {
 public:
  struct Answer {
    uint64_t unique = 0;
    int error = 0;  ///< 0, or a negative errno
    std::vector<std::byte> body;

    template <typename T>
    [[nodiscard]] T as() const {
      T value{};
      EXPECT_GE(body.size(), sizeof value);
      std::memcpy(&value, body.data(), std::min(sizeof value, body.size()));
      return value;
    }
    [[nodiscard]] std::string text() const {
      return {reinterpret_cast<const char*>(body.data()), body.size()};
    }
  };

  KernelDouble() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    end_.reset(ends[0]);
    channel_.reset(ends[1]);
  }
  /// Makes a listener; connect_to() makes the channel, perhaps in another table of descriptors.
  explicit KernelDouble(const std::string& path)
      : listener_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const sockaddr_un address = address_of(path);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
  }
  static base::UniqueFd connect_to(const std::string& path) {
    base::UniqueFd channel(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const sockaddr_un address = address_of(path);
    EXPECT_EQ(::connect(channel.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return channel;
  }
  void accept() {
    pollfd event{listener_.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&event, 1, limit()), 1);
    end_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  }

  /// Returns the daemon's end.
  [[nodiscard]] base::UniqueFd take_channel() { return std::move(channel_); }
  void close() { end_.reset(); }

  /// Sends a request as this thread. Returns its number.
  template <typename T>
  uint64_t send(uint32_t opcode, const T& body, const std::string& payload = {}) {
    return send_as(next_unique(), opcode, body, payload);
  }
  uint64_t send(uint32_t opcode) { return send_bytes(next_unique(), opcode, {}); }
  template <typename T>
  uint64_t send_as(uint64_t unique, uint32_t opcode, const T& body, const std::string& payload = {}) {
    std::string bytes(reinterpret_cast<const char*>(&body), sizeof body);
    return send_bytes(unique, opcode, bytes + payload);
  }
  [[nodiscard]] uint64_t next_unique() {
    // The kernel's numbers are even (FUSE_REQ_ID_STEP). The number of an interrupt is that of its request
    // plus 1 (FUSE_INT_REQ_BIT).
    const std::lock_guard lock(mutex_);
    return last_unique_ += 2;
  }
  uint64_t interrupt(uint64_t unique) {
    return send_as(unique | 1, FUSE_INTERRUPT, fuse_interrupt_in{unique});
  }

  /// Returns the next answer; nothing if none comes within the limit.
  [[nodiscard]] std::optional<Answer> next_answer(std::chrono::milliseconds wait = timeout) {
    pollfd event{end_.get(), POLLIN, 0};
    if (::poll(&event, 1, static_cast<int>(wait.count())) != 1) return std::nullopt;
    std::vector<std::byte> bytes(size_t{1} << 20);
    const ssize_t size = ::recv(end_.get(), bytes.data(), bytes.size(), 0);
    if (size < static_cast<ssize_t>(sizeof(fuse_out_header))) return std::nullopt;
    fuse_out_header header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    return Answer{header.unique, header.error, {bytes.begin() + sizeof header, bytes.begin() + size}};
  }
  /// Returns the next answer, which must be that to request `unique`.
  Answer answer_to(uint64_t unique) {
    const std::optional<Answer> answer = next_answer();
    if (!answer) {
      ADD_FAILURE() << "no answer to request " << unique;
      return {unique, -ETIMEDOUT, {}};
    }
    EXPECT_EQ(answer->unique, unique);
    return *answer;
  }
  template <typename T>
  Answer ask(uint32_t opcode, const T& body, const std::string& payload = {}) {
    return answer_to(send(opcode, body, payload));
  }
  Answer ask(uint32_t opcode) { return answer_to(send(opcode)); }
  [[nodiscard]] bool has_answer() { return next_answer_waits(); }

  /// Returns FUSE_INIT or CUSE_INIT without any capability of the kernel.
  static fuse_init_in init_request() {
    fuse_init_in init{};
    init.major = FUSE_KERNEL_VERSION;
    init.minor = 31;
    init.max_readahead = 4096;
    return init;
  }

 private:
  static int limit() { return static_cast<int>(std::chrono::milliseconds(timeout).count()); }
  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    return address;
  }
  [[nodiscard]] bool next_answer_waits() const {
    pollfd event{end_.get(), POLLIN, 0};
    return ::poll(&event, 1, 0) == 1;
  }
  uint64_t send_bytes(uint64_t unique, uint32_t opcode, const std::string& body) {
    fuse_in_header header{};
    header.len = static_cast<uint32_t>(sizeof header + body.size());
    header.opcode = opcode;
    header.unique = unique;
    header.nodeid = FUSE_ROOT_ID;
    header.uid = ::getuid();
    header.gid = ::getgid();
    header.pid = static_cast<uint32_t>(::gettid());
    const std::string bytes = std::string(reinterpret_cast<const char*>(&header), sizeof header) + body;
    // The queue of packets is short, so a full one is retried until the daemon has read from it.
    const auto sent = [&] {
      return ::send(end_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
             static_cast<ssize_t>(bytes.size());
    };
    EXPECT_TRUE(eventually(sent)) << std::strerror(errno);
    return unique;
  }

  base::UniqueFd listener_;
  base::UniqueFd end_;
  base::UniqueFd channel_;
  std::mutex mutex_;
  uint64_t last_unique_ = 0;
};

}  // namespace unit
