// The open files of a Framebuffer, and the clearing of its memory between two users.

#include <spdlog/spdlog.h>

#include <array>
#include <cerrno>
#include <utility>

#include "fbemu/framebuffer.h"

namespace fbemu {

using base::failure;
using base::MutexLock;
using base::Result;

void Framebuffer::start(ProgramPages* pages) {
  pages_ = pages;
  presenter_.start(fb_state(), pages);
}

void Framebuffer::update_writers() {
  // A picture that was written stays on the screen, but not if it is cleared.
  presenter_.set_writers({open_writers_, writing_programs_, written_ && !mapped_ && !clears_});
}

Result<void> Framebuffer::open(const Opener& opener) {
  const MutexLock lock(mutex_);
  if (needs_clear()) return failure(EAGAIN);
  BASE_TRY(file_limit_.take(opener.user));
  if (opener.writable) {
    try {
      writing_programs_->add(opener.client_vt);
    } catch (...) {
      file_limit_.release(opener.user);
      throw;
    }
    if (open_writers_++ == 0) mapped_ = written_ = false;
    update_writers();
  }
  ++open_files_;
  return {};
}

void Framebuffer::close(const Opener& opener) {
  bool last = false;
  bool clears = false;
  {
    const MutexLock lock(mutex_);
    last = --open_files_ == 0;
    file_limit_.release(opener.user);
    if (opener.writable) {
      --open_writers_;
      writing_programs_->remove(opener.client_vt);
      update_writers();
    }
    clears = needs_clear();
  }
  // The kernel delivers every changed page before it releases a file. No caller waits for this flush.
  if (last) static_cast<void>(flush({}));
  if (clears) clear([](const Result<void>&) {});
}

/// Returns true if the memory has pixels of programs that have all closed the framebuffer, and must be
/// cleared before the next open.
bool Framebuffer::needs_clear() const {
  return clears_ && open_files_ == 0 && changed_;
}

void Framebuffer::clear(Cleared done) {
  presenter_.call([this, done = std::move(done)](int error) {
    done(error != 0 ? completion_result(error) : clear_on_presenter());
  });
}

/// Clears the memory if that is still needed. Only the presenter's thread may access the pages, because the
/// front end's threads have to serve the requests that this causes.
Result<void> Framebuffer::clear_on_presenter() {
  {
    const MutexLock lock(mutex_);
    if (!needs_clear()) return {};
  }
  // Until changed_ is false, open() accepts no file. So no program can draw meanwhile.
  const Result<void> cleared = pages_ != nullptr ? pages_->clear(memory_bytes()) : clear_backing_store();
  if (!cleared) {
    if (!std::exchange(clear_fails_, true)) {
      spdlog::error(
          "cannot clear the framebuffer after its last user: {}; it cannot be opened until that works",
          cleared.error().message());
    }
    return cleared;
  }
  clear_fails_ = false;
  changed_ = false;
  return {};
}

Result<void> Framebuffer::clear_backing_store() {
  static constexpr std::array<std::byte, page_size> zeros{};
  for (uint64_t offset = 0; offset < memory_bytes(); offset += zeros.size()) {
    BASE_TRY(write(offset, zeros));
  }
  return {};
}

}  // namespace fbemu
