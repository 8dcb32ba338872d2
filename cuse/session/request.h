#pragma once

#include <sys/types.h>

#include <utility>

#include "cuse/session/libfuse.h"

namespace cuse {

class IoctlCalls;

/// The base of the user data of a libfuse session.
struct SessionData {
  IoctlCalls* ioctls = nullptr;
};

/// Returns the object that is the user data of a session.
template <typename Requests>
[[nodiscard]] Requests& from_user_data(void* user_data) {
  return *static_cast<Requests*>(static_cast<SessionData*>(user_data));
}

/// A request from the kernel, to be answered exactly once. The function that answers takes the handle.
class Request {
 public:
  explicit Request(fuse_req_t handle) : handle_(handle) {}
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request() = default;

  [[nodiscard]] bool answered() const { return handle_ == nullptr; }
  /// Returns the handle, for libfuse's functions that only read it.
  [[nodiscard]] fuse_req_t get() const { return handle_; }
  /// Returns the handle to the function that answers.
  [[nodiscard]] fuse_req_t take() { return std::exchange(handle_, nullptr); }
  /// Returns the program's thread; 0 if it is in a pid namespace that is not visible to the daemon.
  [[nodiscard]] pid_t thread() const { return ::fuse_req_ctx(handle_)->pid; }

 private:
  fuse_req_t handle_;
};

/// Answers ENOMEM or EIO to a request whose handler threw the current exception, unless it was answered
/// before.
void answer_with_current_exception(Request& request) noexcept;

template <auto handler>
struct GuardedHandler;

template <typename... Arguments, void (*handler)(Request&, Arguments...)>
struct GuardedHandler<handler> {
  static void call(fuse_req_t handle, Arguments... arguments) noexcept {
    Request request(handle);
    try {
      handler(request, arguments...);
    } catch (...) {
      answer_with_current_exception(request);
    }
  }
};

template <typename Requests, typename... Arguments, void (Requests::*handler)(Request&, Arguments...)>
struct GuardedHandler<handler> {
  static void call(fuse_req_t handle, Arguments... arguments) noexcept {
    Request request(handle);
    try {
      (from_user_data<Requests>(::fuse_req_userdata(handle)).*handler)(request, arguments...);
    } catch (...) {
      answer_with_current_exception(request);
    }
  }
};

/// The callback for libfuse that runs `handler(Request&, ...)`: a function, or a member function of the
/// session's user data (from_user_data()). It throws nothing, because libfuse is C, and every request must be
/// answered.
template <auto handler>
inline constexpr auto guarded = &GuardedHandler<handler>::call;

}  // namespace cuse
