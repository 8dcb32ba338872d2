#include "cuse/session/ioctl_calls.h"

#include <cerrno>
#include <functional>
#include <optional>
#include <utility>

#include "cuse/service/failure_report.h"
#include "cuse/service/thread_status.h"
#include "cuse/session/late_answer.h"
#include "cuse/session/process_memory.h"

namespace cuse {

using base::Result;

/// The answer to an ioctl. The result and a signal that ends the wait may arrive at the same time.
class IoctlCalls::Answer final : public LateAnswer {
 public:
  Answer(IoctlCalls& calls, std::shared_ptr<Mailbox> session, pid_t thread)
      : LateAnswer(std::move(session)), calls_(calls), thread_(thread) {}

  /// Answers a request that the kernel interrupts. The trap of a tracer is no signal, and the program must
  /// not notice it: neither that of a debugger, nor that of this daemon before a sleep (ProgramFreezer).
  void give_interrupted() noexcept {
    const auto status = read_thread_status(thread_);
    const bool trapped = status && status->tracer != 0;
    give(trapped ? Result<void>() : Result<void>(base::failure(EINTR)));
  }

  uint64_t id = 0;  ///< key in interruptible_; 0 if it is not there

 private:
  void send(fuse_req_t request, const Result<void>& result) noexcept override {
    if (id != 0) calls_.forget(id);
    if (result) {
      ::fuse_reply_ioctl(request, 0, nullptr, 0);
    } else {
      ::fuse_reply_err(request, result.error().value());
    }
  }

  IoctlCalls& calls_;
  const pid_t thread_;
};

/// An ioctl on its way through the ioctl workers: once, or a second time to finish it after the framebuffer
/// has done its part. A call that is dropped answers EIO.
class IoctlCalls::Call final : public Work, public std::enable_shared_from_this<Call> {
 public:
  Call(fbemu::Framebuffer& framebuffer, IoctlWorkers& threads, std::shared_ptr<Answer> answer,
       fbemu::IoctlRequest call)
      : framebuffer_(framebuffer), threads_(threads), duty_(std::move(answer)), call_(std::move(call)) {}

  void run() override {
    // After an answer the program's memory must not be accessed: its thread id may have been reused.
    if (duty_.given()) return;
    try {
      const std::optional<Result<void>> result =
          finish_ ? finish_() : framebuffer_.ioctl(call_, make_later());
      if (result) duty_.give(*result);
    } catch (...) {
      duty_.give(tl::make_unexpected(report_current_exception("an ioctl")));
    }
  }

 private:
  fbemu::Framebuffer::Later make_later() {
    return [self = shared_from_this()](fbemu::Framebuffer::Finish finish) {
      self->finish_ = std::move(finish);
      self->threads_.post(self);
    };
  }

  fbemu::Framebuffer& framebuffer_;
  IoctlWorkers& threads_;
  AnswerDuty duty_;
  fbemu::IoctlRequest call_;
  fbemu::Framebuffer::Finish finish_;
};

IoctlCalls::IoctlCalls(fbemu::Framebuffer& framebuffer, SessionThreads& threads, IoctlWorkers& ioctl_workers)
    : framebuffer_(framebuffer), threads_(threads), ioctl_workers_(ioctl_workers) {}

void IoctlCalls::handle(Request& request, unsigned command, void* argument, unsigned flags) {
  fbemu::IoctlRequest ioctl;
  ioctl.command = command;
  ioctl.argument = reinterpret_cast<uint64_t>(argument);
  ioctl.abi = (flags & FUSE_IOCTL_COMPAT) != 0 ? fbemu::Abi::ilp32 : fbemu::Abi::lp64;
  ioctl.memory = std::make_shared<ProcessMemory>(request.thread());
  const auto answer = std::make_shared<Answer>(*this, threads_.mailbox(), request.thread());
  auto call = std::make_shared<Call>(framebuffer_, ioctl_workers_, answer, std::move(ioctl));
  if (fbemu::Framebuffer::is_interruptible(command)) {
    watch_for_interrupt(request, answer);
    if (answer->given()) return;
  } else {
    answer->take_over(request);
  }
  ioctl_workers_.post(std::move(call));
}

/// Makes a signal to the waiting program answer EINTR, including a signal that came before this call.
void IoctlCalls::watch_for_interrupt(Request& request, const std::shared_ptr<Answer>& answer) {
  {
    const base::MutexLock lock(mutex_);
    answer->id = ++last_id_;
    interruptible_.emplace(answer->id, Interruptible{answer});
  }
  fuse_req_t handle = request.get();
  answer->take_over(request);
  // libfuse stores a pointer for the handler; a number in its place cannot dangle. If the signal came before,
  // libfuse calls the handler inside this call, and an answer would free the request that it still uses.
  ::fuse_req_interrupt_func(handle, &interrupted,
                            reinterpret_cast<void*>(answer->id));  // NOLINT(performance-no-int-to-ptr)
  bool interrupted_before = false;
  {
    const base::MutexLock lock(mutex_);
    Interruptible& registered = interruptible_.at(answer->id);
    registered.watched = true;
    interrupted_before = registered.interrupted;
  }
  if (interrupted_before) answer->give_interrupted();
}

void IoctlCalls::forget(uint64_t id) {
  decltype(interruptible_)::node_type forgotten;  // destroyed without the lock
  const base::MutexLock lock(mutex_);
  forgotten = interruptible_.extract(id);
}

void IoctlCalls::interrupted(fuse_req_t request, void* id) {
  static_cast<SessionData*>(::fuse_req_userdata(request))->ioctls->interrupt(reinterpret_cast<uint64_t>(id));
}

/// Answers EINTR for a signal. libfuse calls it with the request's lock held.
void IoctlCalls::interrupt(uint64_t id) {
  std::shared_ptr<Answer> answer;
  {
    const base::MutexLock lock(mutex_);
    const auto found = interruptible_.find(id);
    if (found == interruptible_.end()) return;
    found->second.interrupted = true;
    if (!found->second.watched) return;
    answer = found->second.answer;
  }
  answer->give_interrupted();
}

}  // namespace cuse
