#include "cuse/fuse_operations.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cuse/failure_report.h"
#include "cuse/fuse_server.h"
#include "cuse/late_answer.h"
#include "cuse/request.h"
#include "cuse/request_opener.h"

namespace cuse {

/// The handlers; each finds its FuseServer in the request. They run on the server's threads.
struct FuseOperations {
  /// An open file; its address is the file handle.
  struct OpenFile {
    bool own = false;
    fbemu::Opener opener;
  };
  /// Attributes change only through us.
  static constexpr double attribute_seconds = 3600;

  /// Answers 0 when the presenter has shown everything.
  class FlushAnswer final : public LateAnswer {
    using LateAnswer::LateAnswer;
    void send(fuse_req_t request, int result) noexcept override { ::fuse_reply_err(request, -result); }
  };

  static FuseServer& server_of(const Request& request) {
    return *static_cast<FuseServer*>(static_cast<SessionData*>(::fuse_req_userdata(request.get())));
  }

  static struct stat attributes(FuseServer& server) {
    const std::lock_guard lock(server.mutex_);  // setattr() on another thread
    struct stat status {};
    status.st_ino = FUSE_ROOT_ID;
    status.st_mode = S_IFREG | server.file_.permissions;
    status.st_nlink = 1;
    status.st_uid = server.file_.uid;
    status.st_gid = server.file_.gid;
    status.st_size = static_cast<off_t>(server.framebuffer_.memory_bytes());
    constexpr blksize_t block_size = 4096;
    constexpr off_t stat_block = 512;
    status.st_blksize = block_size;
    status.st_blocks = status.st_size / stat_block;
    const auto seconds = std::chrono::system_clock::to_time_t(server.start_time_);
    status.st_atim.tv_sec = status.st_mtim.tv_sec = status.st_ctim.tv_sec = seconds;
    return status;
  }

  static void init(void*, fuse_conn_info* connection) {
    // A plain page cache: not invalidated because a time stamp changed, not cut to 0 by "> /dev/fb0"
    // (atomic_o_trunc), and write(2) comes to us at once with its exact range (no writeback cache).
    connection->want &=
        ~static_cast<unsigned>(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_WRITEBACK_CACHE |
                               FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
    connection->want |= connection->capable & FUSE_CAP_EXPLICIT_INVAL_DATA;
    // With as many requests in flight as the congestion threshold, the kernel skips writeback altogether, and
    // scattered pixels are a request each.
    constexpr unsigned requests_in_flight = 16'384;
    connection->max_background = requests_in_flight;
    connection->congestion_threshold = requests_in_flight;
  }

  static void getattr(Request& request, fuse_ino_t, fuse_file_info*) {
    const struct stat status = attributes(server_of(request));
    ::fuse_reply_attr(request.take(), &status, attribute_seconds);
  }

  static void setattr(Request& request, fuse_ino_t, struct stat* wanted, int to_set, fuse_file_info* file) {
    FuseServer& server = server_of(request);
    // ftruncate() fails as on the device. Opening with O_TRUNC succeeds and changes nothing: the kernel takes
    // the unchanged size from the answer and drops no page.
    if ((to_set & FUSE_SET_ATTR_SIZE) != 0 && file != nullptr) {
      ::fuse_reply_err(request.take(), EINVAL);
      return;
    }
    {
      const std::lock_guard lock(server.mutex_);
      if ((to_set & FUSE_SET_ATTR_MODE) != 0) server.file_.permissions = wanted->st_mode & 0777;
      if ((to_set & FUSE_SET_ATTR_UID) != 0) server.file_.uid = wanted->st_uid;
      if ((to_set & FUSE_SET_ATTR_GID) != 0) server.file_.gid = wanted->st_gid;
    }
    const struct stat status = attributes(server);
    ::fuse_reply_attr(request.take(), &status, attribute_seconds);
  }

  static void open(Request& request, fuse_ino_t, fuse_file_info* file) {
    FuseServer& server = server_of(request);
    const pid_t own_opener = server.own_opener_;
    const bool own = own_opener != 0 && request.thread() == own_opener;
    const auto opened = std::make_shared<OpenFile>();
    opened->own = own;
    opened->opener = opener_of(request.get(), *file);
    file->keep_cache = 1;
    // Our own close() must not write pages back: at our end nobody would answer.
    file->noflush = own ? 1 : 0;
    file->fh = std::bit_cast<uintptr_t>(opened.get());
    {
      const std::lock_guard lock(server.mutex_);
      server.open_files_.emplace(file->fh, opened);
    }
    if (const int error = own ? 0 : server.framebuffer_.open(opened->opener); error != 0) {
      const std::lock_guard lock(server.mutex_);
      server.open_files_.erase(file->fh);
      ::fuse_reply_err(request.take(), error);
      return;
    }
    // An opener that was killed meanwhile sends no release.
    if (::fuse_reply_open(request.take(), file) == -ENOENT) forget(server, file->fh);
  }

  static void forget(FuseServer& server, uint64_t handle) {
    std::shared_ptr<void> opened;
    {
      const std::lock_guard lock(server.mutex_);
      opened = std::move(server.open_files_.extract(handle).mapped());
    }
    const auto* file = static_cast<const OpenFile*>(opened.get());
    if (!file->own) server.framebuffer_.close(file->opener);
  }

  static void release(Request& request, fuse_ino_t, fuse_file_info* file) {
    forget(server_of(request), file->fh);
    ::fuse_reply_err(request.take(), 0);
  }

  static void read(Request& request, fuse_ino_t, size_t size, off_t offset, fuse_file_info*) {
    fbemu::Framebuffer& framebuffer = server_of(request).framebuffer_;
    thread_local std::vector<std::byte> buffer;
    buffer.resize(framebuffer.readable(static_cast<uint64_t>(offset), size));
    framebuffer.read(static_cast<uint64_t>(offset), buffer);
    ::fuse_reply_buf(request.take(), reinterpret_cast<const char*>(buffer.data()), buffer.size());
  }

  static void write(Request& request, fuse_ino_t, const char* data, size_t size, off_t offset,
                    fuse_file_info* file) {
    fbemu::Framebuffer& framebuffer = server_of(request).framebuffer_;
    const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
    if (file->writepage != 0) {
      framebuffer.write_back(static_cast<uint64_t>(offset), bytes);
      ::fuse_reply_write(request.take(), size);
      return;
    }
    const auto written = framebuffer.write(static_cast<uint64_t>(offset), bytes);
    if (written) {
      ::fuse_reply_write(request.take(), *written);
    } else {
      ::fuse_reply_err(request.take(), written.error().value());
    }
  }

  /// Answers when the pixels are with the driver; the kernel has delivered the changed pages before it asks.
  static void flush_then_reply(Request& request, bool tells_errors) {
    FuseServer& server = server_of(request);
    const auto answer = std::make_shared<FlushAnswer>(server.threads_.mailbox());
    const auto duty = std::make_shared<AnswerDuty>(answer);
    std::function<void(int)> done = [duty, tells_errors](int error) {
      duty->give(tells_errors ? -error : 0);
    };
    answer->take_over(request);
    try {
      const bool waits = server.framebuffer_.flush(std::move(done));
      if (!waits) answer->give_here(0);
    } catch (...) {
      answer->give_here(-report_current_exception("a flush"));
    }
  }
  /// close(2), which does not fail on the kernel's framebuffers; the picture is presented later.
  static void flush(Request& request, fuse_ino_t, fuse_file_info*) { flush_then_reply(request, false); }
  /// fsync(2) and msync(2).
  static void fsync(Request& request, fuse_ino_t, int, fuse_file_info*) { flush_then_reply(request, true); }

  static void statfs(Request& request, fuse_ino_t) {
    struct statvfs status {};
    constexpr unsigned long block_size = 4096;
    status.f_bsize = block_size;
    status.f_frsize = block_size;
    status.f_blocks = server_of(request).framebuffer_.memory_bytes() / block_size;
    status.f_namemax = 255;
    ::fuse_reply_statfs(request.take(), &status);
  }

  static void ioctl(Request& request, fuse_ino_t, unsigned command, void* argument, fuse_file_info*,
                    unsigned flags, const void*, size_t, size_t) {
    server_of(request).ioctl_calls_.handle(request, command, argument, flags);
  }

  static fuse_lowlevel_ops make() {
    fuse_lowlevel_ops operations{};
    operations.init = &init;
    operations.getattr = guarded<&getattr>;
    operations.setattr = guarded<&setattr>;
    operations.open = guarded<&open>;
    operations.release = guarded<&release>;
    operations.read = guarded<&read>;
    operations.write = guarded<&write>;
    operations.flush = guarded<&flush>;
    operations.fsync = guarded<&fsync>;
    operations.statfs = guarded<&statfs>;
    operations.ioctl = guarded<&ioctl>;
    return operations;
  }
};

const fuse_lowlevel_ops& fuse_operations() {
  static const fuse_lowlevel_ops operations = FuseOperations::make();
  return operations;
}

}  // namespace cuse
