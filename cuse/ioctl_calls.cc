#include "cuse/ioctl_calls.h"

#include <atomic>
#include <cerrno>
#include <optional>
#include <utility>

#include "cuse/process_memory.h"

namespace cuse {

/// A request that is answered later. The answer and a signal that ends the wait may come at the same time:
/// the first one answers. Requests are only answered on the session's threads.
struct IoctlCalls::Pending {
  fuse_req_t request = nullptr;
  std::atomic<bool> answered{false};
  uint64_t id = 0;
};

IoctlCalls::IoctlCalls(fbemu::Framebuffer& framebuffer, SessionThreads& threads,
                       ProgramThreads& program_threads)
    : framebuffer_(framebuffer), threads_(threads), program_threads_(program_threads) {}

void IoctlCalls::handle(fuse_req_t request, unsigned command, void* argument, unsigned flags) {
  fbemu::IoctlRequest call;
  call.command = command;
  call.argument = reinterpret_cast<uint64_t>(argument);
  call.abi = (flags & FUSE_IOCTL_COMPAT) != 0 ? fbemu::Abi::ilp32 : fbemu::Abi::lp64;
  call.memory = std::make_shared<ProcessMemory>(::fuse_req_ctx(request)->pid);
  auto pending = std::make_shared<Pending>();
  pending->request = request;
  if (fbemu::Framebuffer::is_interruptible(command)) remember(pending);

  const fbemu::Framebuffer::Later later = [this, pending](std::function<int()> finish) {
    program_threads_.post([this, pending, finish = std::move(finish)] { reply(pending, finish()); });
  };
  program_threads_.post([this, call, later, pending] {
    if (const std::optional<int> result = framebuffer_.ioctl(call, later)) reply(pending, *result);
  });
}

/// Answers, unless a signal ended the wait before.
void IoctlCalls::reply(const std::shared_ptr<Pending>& pending, int result) {
  threads_.post([this, pending, result] {
    if (pending->answered.exchange(true)) return;
    forget(*pending);
    if (result < 0) {
      ::fuse_reply_err(pending->request, -result);
    } else {
      ::fuse_reply_ioctl(pending->request, result, nullptr, 0);
    }
  });
}

/// From now on a signal to the waiting program answers EINTR.
void IoctlCalls::remember(const std::shared_ptr<Pending>& pending) {
  {
    const std::lock_guard lock(mutex_);
    pending->id = ++last_pending_;
    pending_.emplace(pending->id, pending);
  }
  // libfuse keeps a pointer for the handler; the number in its place cannot dangle.
  ::fuse_req_interrupt_func(pending->request, &interrupted,
                            reinterpret_cast<void*>(pending->id));  // NOLINT(performance-no-int-to-ptr)
}

void IoctlCalls::forget(const Pending& pending) {
  const std::lock_guard lock(mutex_);
  pending_.erase(pending.id);
}

void IoctlCalls::interrupted(fuse_req_t request, void* id) {
  static_cast<SessionData*>(::fuse_req_userdata(request))->ioctls->interrupt(reinterpret_cast<uint64_t>(id));
}

void IoctlCalls::interrupt(uint64_t id) {
  std::shared_ptr<Pending> pending;
  {
    const std::lock_guard lock(mutex_);
    const auto found = pending_.find(id);
    if (found == pending_.end()) return;
    pending = found->second;
    pending_.erase(found);
  }
  // Not from here: libfuse may hold the request's lock.
  threads_.post([pending] {
    if (!pending->answered.exchange(true)) ::fuse_reply_err(pending->request, EINTR);
  });
}

}  // namespace cuse
