#pragma once

#include <optional>
#include <string>

#include "base/epoll.h"
#include "base/unique_fd.h"

namespace drmclient {

/// The kernel's virtual terminals (console_ioctl(4)), one of which is active and on the screen. Not
/// thread-safe.
class VirtualTerminals {
 public:
  /// Changes since the last read().
  struct Changes {
    bool switched = false;  ///< the active VT may have changed
    bool used = false;      ///< the watched VT was written to
  };

  VirtualTerminals() = default;
  VirtualTerminals(const VirtualTerminals&) = delete;
  VirtualTerminals& operator=(const VirtualTerminals&) = delete;
  virtual ~VirtualTerminals() = default;

  /// Returns the number N of the active VT /dev/ttyN; nothing on a system without virtual terminals.
  [[nodiscard]] virtual std::optional<unsigned> active() const = 0;
  /// Returns true if the active VT is in text mode, not in graphics mode (KDGETMODE), or if its mode is
  /// unknown.
  [[nodiscard]] virtual bool active_is_text() const = 0;
  /// Returns a descriptor for poll(2) that is readable if read() has changes; -1 without virtual terminals.
  [[nodiscard]] virtual int descriptor() const = 0;
  /// Returns the changes since the last call. Does not block.
  [[nodiscard]] virtual Changes read() = 0;
  /// Makes read() report writes to the active VT, including the echo of typed keys. Returns false if they
  /// cannot be watched.
  [[nodiscard]] virtual bool watch_use() = 0;
  /// Ends watch_use().
  virtual void stop_watching() = 0;
};

/// The virtual terminals of the running kernel. It polls the file "active" of tty0 in sysfs, which the kernel
/// signals at each switch (redraw_screen() in drivers/tty/vt/vt.c). It also polls /dev/vcsN, which is
/// signalled at each change of a VT's text (vcs_poll() in vc_screen.c). Root and the group tty may open
/// /dev/vcsN.
class KernelVirtualTerminals final : public VirtualTerminals {
 public:
  /// Opens the file "active"; the parameters are for tests. Throws std::system_error if the kernel has no
  /// memory for an epoll set.
  explicit KernelVirtualTerminals(const std::string& active_path = "/sys/class/tty/tty0/active",
                                  std::string text_prefix = "/dev/vcs",
                                  std::string device_prefix = "/dev/tty");

  [[nodiscard]] std::optional<unsigned> active() const override { return active_vt_; }
  [[nodiscard]] bool active_is_text() const override;
  [[nodiscard]] int descriptor() const override { return epoll_ ? epoll_->get() : -1; }
  [[nodiscard]] Changes read() override;
  [[nodiscard]] bool watch_use() override;
  void stop_watching() override { text_.reset(); }

 private:
  void clear_use() const;

  std::string text_prefix_;
  std::string device_prefix_;
  std::optional<base::Epoll> epoll_{std::in_place};  ///< empty after a wait for it failed
  base::UniqueFd active_;
  base::UniqueFd text_;
  std::optional<unsigned> active_vt_;
};

/// Returns N of a line "ttyN" like that of the file "active"; nothing for any other text.
[[nodiscard]] std::optional<unsigned> terminal_number(const std::string& line);

/// Returns the number of the active VT; nothing if there is none. Thread-safe.
[[nodiscard]] std::optional<unsigned> active_vt(
    const std::string& active_path = "/sys/class/tty/tty0/active");

}  // namespace drmclient
