#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "fbemu/frontend/client_vt.h"

namespace fbemu {

/// The opener of a file of the framebuffer; the same for the file's open() and close().
struct Opener {
  static constexpr uint32_t root = 0;

  Opener(bool may_write = false, std::shared_ptr<const ClientVt> its_vt = nullptr, uint32_t its_user = root)
      : writable(may_write), client_vt(std::move(its_vt)), user(its_user) {}

  bool writable;                              ///< True if the file is open for writing.
  std::shared_ptr<const ClientVt> client_vt;  ///< null for a program that is shown on every VT
  uint32_t user;                              ///< user id
};

}  // namespace fbemu
