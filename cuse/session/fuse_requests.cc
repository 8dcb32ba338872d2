#include "cuse/session/fuse_requests.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "cuse/service/failure_report.h"
#include "cuse/session/late_answer.h"

namespace cuse {
namespace {

/// Validity of cached attributes, in seconds; they change only through setattr().
constexpr double attribute_seconds = 3600;

/// The answer to a flush, given when the presenter has shown all changes.
class FlushAnswer final : public LateAnswer {
  using LateAnswer::LateAnswer;
  void send(fuse_req_t request, const base::Result<void>& result) noexcept override {
    ::fuse_reply_err(request, result ? 0 : result.error().value());
  }
};

void init(void*, fuse_conn_info* connection) {
  // A plain page cache. A changed time stamp does not invalidate it (no auto_inval_data). "> /dev/fb0" does
  // not truncate it (no atomic_o_trunc). write(2) arrives at once with its exact range (no writeback_cache).
  connection->want &=
      ~static_cast<unsigned>(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_WRITEBACK_CACHE |
                             FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
  connection->want |= connection->capable & FUSE_CAP_EXPLICIT_INVAL_DATA;
  // The kernel skips writeback altogether while the congestion threshold is reached, and each scattered pixel
  // is a request.
  constexpr unsigned requests_in_flight = 16'384;
  connection->max_background = requests_in_flight;
  connection->congestion_threshold = requests_in_flight;
}

}  // namespace

FuseRequests::FuseRequests(fbemu::Framebuffer& framebuffer, SessionThreads& threads,
                           IoctlWorkers& ioctl_workers, const FileAttributes& attributes)
    : SessionRequests(framebuffer, threads, ioctl_workers), threads_(threads), attributes_(attributes) {}

struct stat FuseRequests::status() {
  struct stat status {};
  {
    const base::MutexLock lock(attributes_mutex_);  // setattr() on another thread
    status.st_mode = S_IFREG | attributes_.permissions;
    status.st_uid = attributes_.uid;
    status.st_gid = attributes_.gid;
  }
  status.st_ino = FUSE_ROOT_ID;
  status.st_nlink = 1;
  status.st_size = static_cast<off_t>(framebuffer().memory_bytes());
  constexpr blksize_t block_size = 4096;
  constexpr off_t stat_block = 512;
  status.st_blksize = block_size;
  status.st_blocks = status.st_size / stat_block;
  const auto seconds = std::chrono::system_clock::to_time_t(start_time_);
  status.st_atim.tv_sec = status.st_mtim.tv_sec = status.st_ctim.tv_sec = seconds;
  return status;
}

void FuseRequests::getattr(Request& request, fuse_ino_t, fuse_file_info*) {
  const struct stat current = status();
  ::fuse_reply_attr(request.take(), &current, attribute_seconds);
}

void FuseRequests::setattr(Request& request, fuse_ino_t, struct stat* wanted, int to_set,
                           fuse_file_info* file) {
  // ftruncate() fails as on the kernel's device. An open with O_TRUNC succeeds and changes nothing: the
  // kernel takes the unchanged size from the answer and drops no page.
  if ((to_set & FUSE_SET_ATTR_SIZE) != 0 && file != nullptr) {
    ::fuse_reply_err(request.take(), EINVAL);
    return;
  }
  {
    const base::MutexLock lock(attributes_mutex_);
    if ((to_set & FUSE_SET_ATTR_MODE) != 0) attributes_.permissions = wanted->st_mode & 0777;
    if ((to_set & FUSE_SET_ATTR_UID) != 0) attributes_.uid = wanted->st_uid;
    if ((to_set & FUSE_SET_ATTR_GID) != 0) attributes_.gid = wanted->st_gid;
  }
  const struct stat current = status();
  ::fuse_reply_attr(request.take(), &current, attribute_seconds);
}

void FuseRequests::open(Request& request, fuse_ino_t, fuse_file_info* file) {
  const pid_t own_opener = own_opener_;
  const bool own = own_opener != 0 && request.thread() == own_opener;
  file->keep_cache = 1;
  // The daemon's own close() must not write pages back: when the daemon exits, no thread would answer.
  file->noflush = own ? 1 : 0;
  open_file(request, *file, own ? Owner::daemon : Owner::program);
}

void FuseRequests::release(Request& request, fuse_ino_t, fuse_file_info* file) {
  release_file(request, file->fh);
}

void FuseRequests::read(Request& request, fuse_ino_t, size_t size, off_t offset, fuse_file_info*) {
  thread_local std::vector<std::byte> buffer;
  buffer.resize(framebuffer().readable(static_cast<uint64_t>(offset), size));
  framebuffer().read(static_cast<uint64_t>(offset), buffer);
  ::fuse_reply_buf(request.take(), reinterpret_cast<const char*>(buffer.data()), buffer.size());
}

void FuseRequests::write(Request& request, fuse_ino_t, const char* data, size_t size, off_t offset,
                         fuse_file_info* file) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  if (file->writepage != 0) {
    framebuffer().write_back(static_cast<uint64_t>(offset), bytes);
    ::fuse_reply_write(request.take(), size);
    return;
  }
  const auto written = framebuffer().write(static_cast<uint64_t>(offset), bytes);
  if (written) {
    ::fuse_reply_write(request.take(), *written);
  } else {
    ::fuse_reply_err(request.take(), written.error().value());
  }
}

/// Answers when the driver has the pixels. The kernel delivers the changed pages before this request.
void FuseRequests::flush_then_reply(Request& request, bool reports_errors) {
  const auto answer = std::make_shared<FlushAnswer>(threads_.mailbox());
  const auto duty = std::make_shared<AnswerDuty>(answer);
  fbemu::Framebuffer::Flushed done = [duty, reports_errors](const base::Result<void>& result) {
    duty->give(reports_errors ? result : base::Result<void>());
  };
  answer->take_over(request);
  try {
    const bool waits = framebuffer().flush(std::move(done));
    if (!waits) answer->give_here({});
  } catch (...) {
    answer->give_here(tl::make_unexpected(report_current_exception("a flush")));
  }
}
/// Handles close(2), which does not fail on the kernel's framebuffers; the pixels are presented later.
void FuseRequests::flush(Request& request, fuse_ino_t, fuse_file_info*) {
  flush_then_reply(request, false);
}
/// Handles fsync(2) and msync(2).
void FuseRequests::fsync(Request& request, fuse_ino_t, int, fuse_file_info*) {
  flush_then_reply(request, true);
}

void FuseRequests::statfs(Request& request, fuse_ino_t) {
  struct statvfs status {};
  constexpr unsigned long block_size = 4096;
  status.f_bsize = block_size;
  status.f_frsize = block_size;
  status.f_blocks = framebuffer().memory_bytes() / block_size;
  status.f_namemax = 255;
  ::fuse_reply_statfs(request.take(), &status);
}

void FuseRequests::ioctl(Request& request, fuse_ino_t, unsigned command, void* argument, fuse_file_info*,
                         unsigned flags, const void*, size_t, size_t) {
  handle_ioctl(request, command, argument, flags);
}

fuse_lowlevel_ops FuseRequests::make_operations() {
  fuse_lowlevel_ops operations{};
  operations.init = &init;
  operations.getattr = guarded<&FuseRequests::getattr>;
  operations.setattr = guarded<&FuseRequests::setattr>;
  operations.open = guarded<&FuseRequests::open>;
  operations.release = guarded<&FuseRequests::release>;
  operations.read = guarded<&FuseRequests::read>;
  operations.write = guarded<&FuseRequests::write>;
  operations.flush = guarded<&FuseRequests::flush>;
  operations.fsync = guarded<&FuseRequests::fsync>;
  operations.statfs = guarded<&FuseRequests::statfs>;
  operations.ioctl = guarded<&FuseRequests::ioctl>;
  return operations;
}

const fuse_lowlevel_ops& FuseRequests::operations() {
  static const fuse_lowlevel_ops operations = make_operations();
  return operations;
}

}  // namespace cuse
