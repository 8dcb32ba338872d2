#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "drmclient/terminals.h"
#include "drmclient/unique_fd.h"
#include "fbemu/program_terminal.h"

namespace unit {

/// Terminals that a test switches and writes on.
class FakeTerminals final : public drmclient::Terminals {
 public:
  explicit FakeTerminals(unsigned front) : front_(front) {}

  std::optional<unsigned> front() const override { return front_.load(); }
  bool front_is_text() const override { return text; }
  int descriptor() const override { return event_.get(); }
  Changes read() override {
    uint64_t count = 0;
    static_cast<void>(::read(event_.get(), &count, sizeof count));
    return {switched_.exchange(false), used_.exchange(false)};
  }
  bool watch_use() override {
    watched = true;
    return true;
  }
  void stop_watching() override { watched = false; }

  void change_to(unsigned number) {
    front_ = number;
    switched_ = true;
    raise();
  }
  void write_on() {
    used_ = true;
    raise();
  }

  std::atomic<bool> watched{false};
  std::atomic<bool> text{true};  ///< on every terminal

 private:
  void raise() const {
    const uint64_t one = 1;
    static_cast<void>(::write(event_.get(), &one, sizeof one));
  }

  drmclient::UniqueFd event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::atomic<unsigned> front_;
  std::atomic<bool> switched_{false};
  std::atomic<bool> used_{false};
};

/// A program on one terminal.
class OnTerminal final : public fbemu::ProgramTerminal {
 public:
  explicit OnTerminal(unsigned number) : number_(number) {}
  bool is(unsigned front) const override { return front == number_; }

 private:
  unsigned number_;
};

}  // namespace unit
