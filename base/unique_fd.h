#pragma once

#include <unistd.h>

#include <utility>

namespace base {

/// Owns a file descriptor; closes it at the end. -1 means none.
class UniqueFd {
 public:
  UniqueFd() = default;
  /// Owns `fd` from now on.
  explicit UniqueFd(int fd) : fd_(fd) {}
  /// Leaves `other` with nothing to own.
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  /// Closes what it has. Leaves `other` with nothing to own.
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  /// The descriptor, or -1.
  [[nodiscard]] int get() const { return fd_; }
  /// Whether it owns one.
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  /// Gives the descriptor up to the caller.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  /// Closes what it has, and owns `fd` from now on.
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace base
