#include "cuse/session/session_requests.h"

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "cuse/service/failure_report.h"
#include "cuse/session/late_answer.h"
#include "cuse/session/request_opener.h"

namespace cuse {

using base::Result;

/// The answer to an open that waits until the memory is cleared. The open is then handled again.
class SessionRequests::OpenAnswer final : public LateAnswer {
 public:
  OpenAnswer(SessionRequests& requests, const fuse_file_info& file)
      : LateAnswer(requests.mailbox_), requests_(requests), file_(file) {}

 private:
  void send(fuse_req_t handle, const Result<void>& result) noexcept override {
    Request request(handle);
    try {
      if (result) {
        requests_.open_file(request, file_);
      } else {
        ::fuse_reply_err(request.take(), result.error().value());
      }
    } catch (...) {
      answer_with_current_exception(request);
    }
  }

  SessionRequests& requests_;
  fuse_file_info file_;
};

SessionRequests::SessionRequests(fbemu::Framebuffer& framebuffer, SessionThreads& threads,
                                 IoctlWorkers& ioctl_workers)
    : framebuffer_(framebuffer),
      mailbox_(threads.mailbox()),
      ioctl_calls_(framebuffer, threads, ioctl_workers) {
  ioctls = &ioctl_calls_;
}

void SessionRequests::open_file(Request& request, fuse_file_info& file, Owner owner) {
  fbemu::Opener opener = opener_of(request.get(), file);
  {
    const base::MutexLock lock(mutex_);
    file.fh = ++last_handle_;
    open_files_[file.fh] = {owner, opener};
  }
  Result<void> opened;
  try {
    if (owner == Owner::program) opened = framebuffer_.open(opener);
  } catch (...) {
    forget_file(file.fh);
    throw;
  }
  if (!opened) {
    forget_file(file.fh);
    if (opened.error() == std::errc::resource_unavailable_try_again) return open_after_clear(request, file);
    ::fuse_reply_err(request.take(), opened.error().value());
    return;
  }
  // If the opening program was killed in the meantime, the kernel sends no release.
  if (::fuse_reply_open(request.take(), &file) == -ENOENT) close_file(file.fh);
}

void SessionRequests::open_after_clear(Request& request, const fuse_file_info& file) {
  const auto answer = std::make_shared<OpenAnswer>(*this, file);
  const auto duty = std::make_shared<AnswerDuty>(answer);
  fbemu::Framebuffer::Cleared done = [duty](const Result<void>& result) { duty->give(result); };
  answer->take_over(request);
  try {
    framebuffer_.clear(std::move(done));
  } catch (...) {
    answer->give_here(tl::make_unexpected(report_current_exception("an open")));
  }
}

/// Removes and returns the file of `handle`; nothing if there is none.
std::optional<SessionRequests::OpenFile> SessionRequests::forget_file(uint64_t handle) {
  const base::MutexLock lock(mutex_);
  const auto found = open_files_.find(handle);
  if (found == open_files_.end()) return std::nullopt;
  std::optional<OpenFile> file = std::move(found->second);
  open_files_.erase(found);
  return file;
}

void SessionRequests::close_file(uint64_t handle) {
  const std::optional<OpenFile> file = forget_file(handle);
  if (file && file->owner == Owner::program) framebuffer_.close(file->opener);
}

void SessionRequests::release_file(Request& request, uint64_t handle) {
  close_file(handle);
  ::fuse_reply_err(request.take(), 0);
}

uint64_t SessionRequests::position_of_piece(uint64_t handle, uint64_t offset) {
  const base::MutexLock lock(mutex_);
  OpenFile& file = open_files_.at(handle);
  if (offset == 0) file.call_start = file.position;
  return file.call_start + offset;
}

void SessionRequests::set_position(uint64_t handle, uint64_t position) {
  const base::MutexLock lock(mutex_);
  open_files_.at(handle).position = position;
}

}  // namespace cuse
