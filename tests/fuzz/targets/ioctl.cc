// Sequences of ioctls, reads, writes and faults of the card on a framebuffer with a headless card.
//
// Input: 4 bytes of options, then records that begin with an Action.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scripted_memory.h"
#include "tests/support/error_of.h"
#include "tests/support/framebuffer_fixture.h"

namespace {

using fbemu::Abi;
using fuzz::Input;
using fuzz::require;
using fuzz::ScriptedMemory;

constexpr uint64_t base = unit::FakeUserMemory::base;
constexpr std::array<uint32_t, 13> commands{
    FBIOGET_VSCREENINFO, FBIOPUT_VSCREENINFO, FBIOGET_FSCREENINFO,
    FBIOPAN_DISPLAY,     FBIOGETCMAP,         FBIOPUTCMAP,
    FBIOBLANK,           FBIO_WAITFORVSYNC,   FBIOGET_CON2FBMAP,
    FBIOPUT_CON2FBMAP,   FBIO_CURSOR,         0x4612 /* FBIOGET_VBLANK without its size */,
    FBIOGET_VBLANK,
};

enum class Action : uint8_t {
  ioctl,
  raw_ioctl,
  store,
  fail_access,
  open,
  close,
  write,
  read,
  draw,
  card,
  capture
};
constexpr size_t actions = 11;

/// A framebuffer with its programs. The results of ioctls that are answered later are collected at the end.
class Programs final : public unit::FramebufferFixture {
 public:
  explicit Programs(Input& input) {
    options.depth = std::array{32U, 16U, 8U, 1U}.at(input.take_below(4));
    options.rotation = static_cast<fbemu::Rotation>(input.take_below(4));
    options.scaling = static_cast<fbemu::Scaling>(input.take_below(3));
    options.direct_color = input.take_bool();
    start();
  }
  ~Programs() override = default;

  void act(Input& input) {
    switch (static_cast<Action>(input.take_below(actions))) {
      case Action::ioctl: {
        const uint32_t command = commands.at(input.take_below(commands.size()));
        return call(command, base + input.take<uint16_t>() % ScriptedMemory::size, input.take<uint8_t>());
      }
      case Action::raw_ioctl: {
        const auto command = input.take<uint32_t>();
        return call(command, input.take<uint64_t>(), input.take<uint8_t>());
      }
      case Action::store: {
        const size_t offset = input.take<uint16_t>() % ScriptedMemory::size;
        return program->store(offset, input.take_bytes(input.take<uint8_t>()));
      }
      case Action::fail_access:
        return program->fail_after(input.take<uint8_t>() % 8U);
      case Action::open:
        return open(input.take_bool(), input.take_below(2));
      case Action::close:
        if (openers.empty()) return;
        framebuffer->close(openers.back());
        return openers.pop_back();
      case Action::write: {
        const auto offset = input.take<uint32_t>() % (2 * framebuffer->memory_bytes());
        return static_cast<void>(framebuffer->write(offset, input.take_bytes(input.take<uint8_t>())));
      }
      case Action::read: {
        const auto offset = input.take<uint64_t>();
        std::vector<std::byte> bytes(framebuffer->readable(offset, input.take<uint16_t>()));
        return framebuffer->read(offset, bytes);
      }
      case Action::draw: {
        const uint64_t offset = input.take<uint16_t>() % framebuffer->memory_bytes();
        const auto bytes = input.take_bytes(input.take<uint8_t>());
        return pages->draw(offset, bytes.first(framebuffer->readable(offset, bytes.size())));
      }
      case Action::card:
        return change_card(input);
      case Action::capture:
        return static_cast<void>(framebuffer->capture());
    }
  }

  /// Waits for the pending answers, and checks the state against itself.
  void finish() {
    for (auto& answer : pending) static_cast<void>(finish(answer));
    pending.clear();
    program->fail_never();
    const auto var = fetch<fb_var_screeninfo>(FBIOGET_VSCREENINFO);
    const auto fix = fetch<fb_fix_screeninfo>(FBIOGET_FSCREENINFO);
    require(fix.smem_len == framebuffer->memory_bytes(), "smem_len is the size of the memory");
    require(uint64_t{fix.line_length} * var.yres_virtual <= fix.smem_len,
            "the virtual screen fits the memory");
    require(uint64_t{fix.line_length} * 8 >= uint64_t{var.xres_virtual} * var.bits_per_pixel,
            "a line holds its pixels");
    require(var.xoffset + var.xres <= var.xres_virtual, "the view is inside the columns");
    require(var.yoffset <= var.yres_virtual, "the view begins inside the lines");
    // With this bit the mode is set again, which the card may refuse.
    if ((var.activate & FB_ACTIVATE_FORCE) == 0) {
      program->contents().put(base, var);
      require(wait(FBIOPUT_VSCREENINFO, base, Abi::lp64).has_value(), "the current var is accepted");
      require(unit::same(program->contents().get<fb_var_screeninfo>(base), var), "and returned unchanged");
    }
    while (!openers.empty()) {
      framebuffer->close(openers.back());
      openers.pop_back();
    }
    stop();
  }

 private:
  using Finish = fbemu::Framebuffer::Finish;
  using Answer = std::future<Finish>;

  void TestBody() override {}

  /// Makes the ioctl. Returns its result, or nothing if `answer` receives it.
  [[nodiscard]] std::optional<base::Result<void>> begin(uint32_t command, uint64_t argument, Abi from,
                                                        Answer& answer) {
    const auto promise = std::make_shared<std::promise<Finish>>();
    answer = promise->get_future();
    return framebuffer->ioctl({command, argument, from, program},
                              [promise](Finish later) { promise->set_value(std::move(later)); });
  }
  /// Checks that `result` is success or an errno of the kernel.
  static base::Result<void> checked(base::Result<void> result) {
    const int error = unit::error_of(result);
    require(error >= 0 && error < 4096, "an error is an errno");
    return result;
  }
  static base::Result<void> finish(Answer& answer) {
    require(answer.wait_for(std::chrono::seconds(30)) == std::future_status::ready,
            "every ioctl is answered");
    return checked(answer.get()());
  }
  base::Result<void> wait(uint32_t command, uint64_t argument, Abi from) {
    Answer answer;
    const auto result = begin(command, argument, from, answer);
    return result ? checked(*result) : finish(answer);
  }
  void call(uint32_t command, uint64_t argument, uint8_t how) {
    constexpr uint8_t compat = 1;
    constexpr uint8_t bare = 2;
    constexpr uint8_t waits = 4;
    if ((how & bare) != 0) argument -= base;
    Answer answer;
    const auto result = begin(command, argument, (how & compat) != 0 ? Abi::ilp32 : Abi::lp64, answer);
    if (result) {
      static_cast<void>(checked(*result));
    } else if ((how & waits) != 0) {
      static_cast<void>(finish(answer));
    } else {
      pending.push_back(std::move(answer));
    }
  }
  template <typename T>
  T fetch(uint32_t command) {
    require(wait(command, base, Abi::lp64).has_value(), "the state is readable");
    return program->contents().get<T>(base);
  }
  void open(bool writable, size_t user) {
    const fbemu::Opener opener(writable, nullptr, static_cast<uint32_t>(user));
    if (framebuffer->open(opener)) openers.push_back(opener);
  }
  void change_card(Input& input) {
    const auto value = input.take<uint8_t>();
    const int error = std::array{0, EINVAL, ENOMEM, EBUSY, ENODEV, EIO}.at(value % 6U);
    switch (input.take_below(7)) {
      case 0:
        card->refuse_modes = error;
        break;
      case 1:
        card->refuse_presents = error;
        break;
      case 2:
        card->refuse_buffers = error;
        break;
      case 3:
        card->refuse_accesses = error;
        break;
      case 4:
        card->plug((value & 1U) != 0);
        break;
      case 5:
        card->plug_monitor({{uint32_t{8} + value, 48}, {64, 48}});
        break;
      default:
        card->resume();
        break;
    }
  }

  std::shared_ptr<ScriptedMemory> program = std::make_shared<ScriptedMemory>();
  std::vector<fbemu::Opener> openers;
  std::vector<Answer> pending;
};

}  // namespace

void fuzz::run(Input input) {
  Programs programs(input);
  constexpr unsigned most_actions = 64;
  for (unsigned i = 0; i < most_actions && !input.empty(); ++i) programs.act(input);
  programs.finish();
}
