#pragma once

#include <optional>
#include <string>

#include "base/unique_fd.h"

namespace drmclient {

/// The kernel's virtual terminals (console_ioctl(4)), of which one is in front: what is shown belongs to it.
/// Used by one thread.
class VirtualTerminals {
 public:
  /// What happened since the last read().
  struct Changes {
    bool switched = false;  ///< active() may be another one
    bool used = false;      ///< something was written on the terminal that is watched
  };

  VirtualTerminals() = default;
  VirtualTerminals(const VirtualTerminals&) = delete;
  VirtualTerminals& operator=(const VirtualTerminals&) = delete;
  virtual ~VirtualTerminals() = default;

  /// The number N of /dev/ttyN in front; nothing on a system without virtual terminals.
  [[nodiscard]] virtual std::optional<unsigned> active() const = 0;
  /// Whether the terminal in front shows text, and not what a program with the display puts there
  /// (KDGETMODE). True where that is not to be learned.
  [[nodiscard]] virtual bool active_is_text() const = 0;
  /// Readable (poll(2)) when read() has something; -1 on a system without virtual terminals.
  [[nodiscard]] virtual int descriptor() const = 0;
  /// Takes what has happened. Does not block.
  [[nodiscard]] virtual Changes read() = 0;
  /// From now on read() tells when anything is written on the terminal in front, a typed key's echo included.
  /// False where that cannot be known.
  [[nodiscard]] virtual bool watch_use() = 0;
  /// The end of watch_use().
  virtual void stop_watching() = 0;
};

/// Those of the running kernel: the file "active" of tty0 in sysfs, which the kernel signals at each switch
/// (redraw_screen() in drivers/tty/vt/vt.c), and /dev/vcsN, which it signals at each change of a terminal's
/// text (vcs_poll() in vc_screen.c; root and the group tty may open it).
class KernelVirtualTerminals final : public VirtualTerminals {
 public:
  /// The paths are for tests. Throws std::system_error where the kernel has no memory for an epoll.
  explicit KernelVirtualTerminals(const std::string& active_path = "/sys/class/tty/tty0/active",
                                  std::string text_prefix = "/dev/vcs",
                                  std::string device_prefix = "/dev/tty");

  [[nodiscard]] std::optional<unsigned> active() const override { return active_vt_; }
  [[nodiscard]] bool active_is_text() const override;
  [[nodiscard]] int descriptor() const override { return epoll_.get(); }
  [[nodiscard]] Changes read() override;
  [[nodiscard]] bool watch_use() override;
  void stop_watching() override { text_.reset(); }

 private:
  void clear_use() const;

  std::string text_prefix_;
  std::string device_prefix_;
  base::UniqueFd epoll_;
  base::UniqueFd active_;
  base::UniqueFd text_;
  std::optional<unsigned> active_vt_;
};

/// N of a line "ttyN", as in the file "active"; nothing for any other text.
[[nodiscard]] std::optional<unsigned> terminal_number(const std::string& line);

/// The terminal that is in front at this moment; nothing where there is none. For any thread.
[[nodiscard]] std::optional<unsigned> active_vt(
    const std::string& active_path = "/sys/class/tty/tty0/active");

}  // namespace drmclient
