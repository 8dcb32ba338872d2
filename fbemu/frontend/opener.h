#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "fbemu/frontend/client_vt.h"

namespace fbemu {

/// The opener of a file of the framebuffer; the same for its open() and its close().
struct Opener {
  static constexpr uint32_t root = 0;

  Opener(bool may_write = false, std::shared_ptr<const ClientVt> its_terminal = nullptr,
         uint32_t its_user = root)
      : writable(may_write), terminal(std::move(its_terminal)), user(its_user) {}

  bool writable;                             ///< the file may be written to
  std::shared_ptr<const ClientVt> terminal;  ///< null for a program that belongs to every terminal
  uint32_t user;                             ///< id of the user
};

}  // namespace fbemu
