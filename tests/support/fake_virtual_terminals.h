#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "drmclient/system/virtual_terminals.h"
#include "fbemu/frontend/client_vt.h"
#include "fbemu/output/arbiter_options.h"
#include "fbemu/output/writing_programs.h"

namespace unit {

/// VirtualTerminals that a test switches and writes on.
class FakeVirtualTerminals final : public drmclient::VirtualTerminals {
 public:
  explicit FakeVirtualTerminals(unsigned front) : front_(front) {}

  std::optional<unsigned> active() const override { return front_.load(); }
  bool active_is_text() const override { return text; }
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

  base::UniqueFd event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::atomic<unsigned> front_;
  std::atomic<bool> switched_{false};
  std::atomic<bool> used_{false};
};

/// A program on one terminal. The test opens others for it, and sees how often it is asked.
class OnTerminal final : public fbemu::ClientVt {
 public:
  /// `process` 0 is one program on each terminal. Asking costs `descriptors` and 1 for the program.
  explicit OnTerminal(unsigned number, pid_t process = 0, unsigned descriptors = 0)
      : program_{process, 0, number}, descriptors_(descriptors) {}

  const fbemu::ProgramId& program() const override { return program_; }
  bool has_opened(unsigned terminal, unsigned& budget) const override {
    ++asked;
    budget -= std::min(budget, 1 + descriptors_);
    return opened == terminal;
  }

  std::atomic<unsigned> opened{0};  ///< the terminal that it has opened
  mutable std::atomic<unsigned> asked{0};

 private:
  fbemu::ProgramId program_;
  unsigned descriptors_;
};

/// Programs that each have the framebuffer open for writing once; a null one belongs to every terminal.
inline fbemu::Writers writers_of(const std::vector<fbemu::WritingPrograms::Terminal>& programs) {
  fbemu::Writers writers;
  writers.count = static_cast<unsigned>(programs.size());
  writers.programs = std::make_shared<fbemu::WritingPrograms>();
  for (const auto& program : programs) writers.programs->add(program);
  return writers;
}

}  // namespace unit
