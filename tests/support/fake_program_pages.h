#pragma once

#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "fbemu/damage/backing_store.h"
#include "fbemu/damage/damage_log.h"
#include "fbemu/frontend/program_pages.h"

namespace unit {

/// A page cache of a framebuffer. Programs change its pages in place; cleaned pages are passed to `deliver`.
/// Thread-safe.
class FakeProgramPages final : public fbemu::ProgramPages {
 public:
  /// Receiver of a changed page and its contents, such as Framebuffer::write_back().
  using Deliver = std::function<void(uint64_t offset, std::span<const std::byte> page)>;

  FakeProgramPages(uint64_t size_bytes, Deliver deliver)
      : cache_(fbemu::round_up_to_page(size_bytes)),
        dirty_(cache_.size() / fbemu::page_size),
        deliver_(std::move(deliver)) {}

  /// Changes bytes as a program does through its mapping.
  void draw(uint64_t offset, std::span<const std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    std::memcpy(cache_.data() + offset, bytes.data(), bytes.size());
    for (uint64_t page = offset / fbemu::page_size; page * fbemu::page_size < offset + bytes.size(); ++page) {
      if (!dirty_[page]) ++faults_;
      dirty_[page] = true;
    }
  }
  /// Changes bytes as write(2) does, which updates the page cache and leaves no page dirty.
  void store(uint64_t offset, std::span<const std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    std::memcpy(cache_.data() + offset, bytes.data(), bytes.size());
  }
  /// Cleans every page, as the kernel does in its flusher, in munmap(2) and at the last close.
  void write_all_back() { deliver_in({0, cache_.size()}); }

  base::Result<void> clean(fbemu::ByteRange range) override {
    ++cleans;
    if (clean_error != 0) return base::failure(clean_error);
    deliver_in(range);
    return {};
  }
  base::Result<void> read(uint64_t offset, std::span<const iovec> into) override {
    ++reads;
    if (read_error != 0) return base::failure(read_error);
    const std::lock_guard lock(mutex_);
    for (const iovec& part : into) {
      if (offset + part.iov_len > cache_.size()) return base::failure(EIO);
      std::memcpy(part.iov_base, cache_.data() + offset, part.iov_len);
      offset += part.iov_len;
    }
    return {};
  }

  base::Result<void> clear(uint64_t bytes) override {
    ++clears;
    if (before_clear) before_clear();
    if (clear_error != 0) return base::failure(clear_error);
    const std::vector<std::byte> zeros(bytes);
    store(0, zeros);
    if (write) write(zeros);
    return {};
  }

  [[nodiscard]] std::vector<std::byte> contents() const {
    const std::lock_guard lock(mutex_);
    return cache_;
  }
  /// Returns the number of write faults of programs.
  [[nodiscard]] uint64_t faults() const {
    const std::lock_guard lock(mutex_);
    return faults_;
  }

  std::atomic<int> clean_error{0};
  std::atomic<int> read_error{0};
  std::atomic<int> clear_error{0};
  std::atomic<int> clears{0};
  std::function<void()> before_clear;
  /// Receiver of the bytes that clear() writes from offset 0 on, such as Framebuffer::write().
  std::function<void(std::span<const std::byte> bytes)> write;
  std::atomic<int> cleans{0};
  std::atomic<int> reads{0};

 private:
  void deliver_in(fbemu::ByteRange range) {
    for (uint64_t page = range.begin / fbemu::page_size; page * fbemu::page_size < range.end; ++page) {
      std::vector<std::byte> bytes;
      {
        const std::lock_guard lock(mutex_);
        if (page >= dirty_.size() || !dirty_[page]) continue;
        dirty_[page] = false;
        const auto first = cache_.begin() + static_cast<ptrdiff_t>(page * fbemu::page_size);
        bytes.assign(first, first + static_cast<ptrdiff_t>(fbemu::page_size));
      }
      deliver_(page * fbemu::page_size, bytes);
    }
  }

  mutable std::mutex mutex_;
  std::vector<std::byte> cache_;
  std::vector<bool> dirty_;
  uint64_t faults_ = 0;
  Deliver deliver_;
};

}  // namespace unit
