#include "tests/support/libfuse_seam.h"

#include <dlfcn.h>

namespace unit {

std::function<std::optional<int>()> LibfuseSeam::before_receive;
std::function<void()> LibfuseSeam::after_interrupt_func;

LibfuseSeam::~LibfuseSeam() {
  before_receive = nullptr;
  after_interrupt_func = nullptr;
}

}  // namespace unit

namespace {

template <typename Function>
Function* in_libfuse(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

// The names are those of libfuse, so that the linker uses these definitions in the tests.
extern "C" int fuse_session_receive_buf(fuse_session* session, fuse_buf* buffer) {
  static auto* const original = in_libfuse<int(fuse_session*, fuse_buf*)>("fuse_session_receive_buf");
  if (unit::LibfuseSeam::before_receive) {
    if (const auto result = unit::LibfuseSeam::before_receive()) return *result;
  }
  return original(session, buffer);
}

extern "C" void fuse_req_interrupt_func(fuse_req_t request, fuse_interrupt_func_t function, void* data) {
  static auto* const original =
      in_libfuse<void(fuse_req_t, fuse_interrupt_func_t, void*)>("fuse_req_interrupt_func");
  original(request, function, data);
  if (unit::LibfuseSeam::after_interrupt_func) unit::LibfuseSeam::after_interrupt_func();
}
