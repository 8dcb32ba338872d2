#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/clock.h"

namespace drmclient {

/// The wait for fbcon before the node of a rebound driver is opened.
///
/// When a driver is rebound, the card's node appears before fbcon attaches. If a client is DRM master at that
/// moment, drm_fb_helper_setcmap() fails with EBUSY, and fbcon has no palette. The text then stays black
/// after the client exits, until the next VT switch. Seen on 6.12 and 7.2 with a client that does nothing
/// else.
///
/// An unbind detaches fbcon first and removes the old node later, so fbcon is missing beside both nodes.
/// Their inodes differ.
class FbconWait {
 public:
  /// Checks if fbcon is attached; if it never was, the card is not waited for. `node` is the path of the
  /// card's node. `consoles` has the kernel's list of console drivers. `clock` must outlive the object.
  FbconWait(std::string node, std::string consoles, const base::Clock& clock);

  /// Returns true if fbcon drives the virtual terminals.
  [[nodiscard]] bool is_attached() const;
  /// Returns true if the node must not be opened yet: it is missing, or fbcon is. The wait for fbcon ends one
  /// second after this function first found the node, because fbcon may be detached permanently.
  [[nodiscard]] bool defer_open();
  /// Returns true if the last call of defer_open() found the node, but not fbcon. No event reports the end of
  /// this state.
  [[nodiscard]] bool is_waiting() const { return waiting_; }

 private:
  struct Inode {
    dev_t device = 0;
    ino_t number = 0;
    friend bool operator==(const Inode&, const Inode&) = default;
  };
  [[nodiscard]] static std::optional<Inode> inode_of(const std::string& path);

  std::string node_;
  std::string consoles_;
  const base::Clock& clock_;
  bool was_attached_;
  bool waiting_ = false;
  std::optional<Inode> found_;    ///< the node that was last found without fbcon
  base::Clock::Time found_at_{};  ///< time of the first defer_open() that found it
};

}  // namespace drmclient
