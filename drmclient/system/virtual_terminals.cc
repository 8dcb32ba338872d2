#include "drmclient/system/virtual_terminals.h"

#include <fcntl.h>
#include <linux/kd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <string_view>
#include <system_error>
#include <utility>

namespace drmclient {
namespace {

std::optional<unsigned> read_active(const base::UniqueFd& active) {
  std::array<char, 32> text{};
  const ssize_t size = active ? ::pread(active.get(), text.data(), text.size(), 0) : 0;
  return size > 0 ? terminal_number({text.data(), static_cast<size_t>(size)}) : std::nullopt;
}

}  // namespace

std::optional<unsigned> active_vt(const std::string& active_path) {
  return read_active(base::UniqueFd(::open(active_path.c_str(), O_RDONLY | O_CLOEXEC)));
}

std::optional<unsigned> terminal_number(const std::string& line) {
  constexpr std::string_view prefix = "tty";
  if (!line.starts_with(prefix)) return std::nullopt;
  std::string_view digits = std::string_view(line).substr(prefix.size());
  if (digits.ends_with('\n')) digits.remove_suffix(1);
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

KernelVirtualTerminals::KernelVirtualTerminals(const std::string& active_path, std::string text_prefix,
                                               std::string device_prefix)
    : text_prefix_(std::move(text_prefix)),
      device_prefix_(std::move(device_prefix)),
      active_(::open(active_path.c_str(), O_RDONLY | O_CLOEXEC)) {
  // Watched before it is read, so that no switch is missed. A file that cannot be watched (no sysfs) is read
  // once.
  if (active_) static_cast<void>(epoll_->try_watch(active_.get(), EPOLLPRI));
  active_vt_ = read_active(active_);
}

bool KernelVirtualTerminals::active_is_text() const {
  if (!active_vt_) return true;
  const std::string path = device_prefix_ + std::to_string(*active_vt_);
  const base::UniqueFd terminal(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  int mode = KD_TEXT;
  return !terminal || ::ioctl(terminal.get(), KDGETMODE, &mode) != 0 || mode != KD_GRAPHICS;
}

/// Clears the event of a changed text, which stays pending until the text is read.
void KernelVirtualTerminals::clear_use() const {
  char first = 0;
  static_cast<void>(::pread(text_.get(), &first, 1, 0));
}

VirtualTerminals::Changes KernelVirtualTerminals::read() {
  std::array<epoll_event, 2> events{};
  Changes changes;
  if (!epoll_) return changes;
  const auto ready = epoll_->wait(events, std::chrono::milliseconds(0));
  if (!ready) {
    // A thread that polls descriptor() would find it readable again at once, and never sleep.
    epoll_.reset();
    return changes;
  }
  for (const epoll_event& event : *ready) {
    if (event.data.fd == active_.get()) {
      const auto before = active_vt_;
      active_vt_ = read_active(active_);
      changes.switched = changes.switched || active_vt_ != before;
    } else {
      clear_use();
      changes.used = true;
    }
  }
  return changes;
}

bool KernelVirtualTerminals::watch_use() {
  text_.reset();
  if (!epoll_ || !active_vt_) return false;
  base::UniqueFd text(
      ::open((text_prefix_ + std::to_string(*active_vt_)).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!text || !epoll_->try_watch(text.get(), EPOLLPRI)) return false;
  text_ = std::move(text);
  // The first poll always reports a change, because the kernel does not have an earlier state to compare.
  clear_use();
  return true;
}

}  // namespace drmclient
