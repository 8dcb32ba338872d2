#pragma once

#include <unistd.h>

#include <utility>

namespace base {

/// An owned file descriptor; the destructor closes it. -1 means none.
class UniqueFd {
 public:
  UniqueFd() = default;
  /// Takes ownership of `fd`.
  explicit UniqueFd(int fd) : fd_(fd) {}
  /// Takes the descriptor from `other`, which owns none afterwards.
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  /// Closes the owned descriptor and takes that of `other`, which owns none afterwards.
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  /// Returns the descriptor, or -1.
  [[nodiscard]] int get() const { return fd_; }
  /// Returns true if the object owns a descriptor.
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  /// Returns the descriptor and passes its ownership to the caller.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  /// Closes the owned descriptor and takes ownership of `fd`.
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace base
