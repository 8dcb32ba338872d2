#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

namespace unit {

/// An ordinary user's identity for a process that runs as root, until the end of the scope. A process of
/// another user keeps its identity.
class UnprivilegedUser {
 public:
  UnprivilegedUser() {
    if (::geteuid() != 0) return;
    EXPECT_EQ(::setegid(nobody), 0);
    EXPECT_EQ(::seteuid(nobody), 0);
    changed_ = true;
  }
  ~UnprivilegedUser() {
    if (!changed_) return;
    EXPECT_EQ(::seteuid(0), 0);
    EXPECT_EQ(::setegid(0), 0);
  }
  UnprivilegedUser(const UnprivilegedUser&) = delete;
  UnprivilegedUser& operator=(const UnprivilegedUser&) = delete;

 private:
  static constexpr uid_t nobody = 65'534;
  bool changed_ = false;
};

}  // namespace unit
