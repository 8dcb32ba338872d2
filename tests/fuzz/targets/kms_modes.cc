// The connectors of a card as libdrm reads them: types, sizes and mode lists, as a broken EDID may give them.
//
// The kernel parses the EDID; fbemu reads only the modes that the kernel made of it. Input: a number of
// connectors, then each. A connector is its type (4 bytes), type number (4 bytes), size (8 bytes), state,
// number of modes, and the 68 bytes of each mode.
#include <algorithm>
#include <optional>

#include "cuse/bin/card_choice.h"
#include "drmclient/kms/kms_card.h"
#include "fbemu/fbdev/var_check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/fake_drm.h"

namespace {

using drmclient::Mode;
using drmclient::Output;
using drmclient::OutputInfo;
using fuzz::Input;
using fuzz::require;
using unit::FakeDrm;

void check_mode(const Mode& mode) {
  require(mode.hdisplay >= 8 && mode.vdisplay >= 8, "a mode has at least 8x8 pixels");
  require(mode.hdisplay <= mode.hsync_start && mode.hsync_start <= mode.hsync_end &&
              mode.hsync_end <= mode.htotal,
          "the columns are in order");
  require(mode.vdisplay <= mode.vsync_start && mode.vsync_start <= mode.vsync_end &&
              mode.vsync_end <= mode.vtotal,
          "the lines are in order");
  require(mode.refresh_millihertz() >= 1000 && mode.refresh_millihertz() <= 1'000'000,
          "the rate is plausible");
  require(mode.frame_period().count() > 0, "a frame lasts");
}

/// Requests each mode of the list as a program does.
void check_vars(const OutputInfo& output) {
  fbemu::Presentation presentation;
  presentation.mode = output.modes.front();
  fbemu::FramebufferState current;
  current.mode = presentation.mode;
  constexpr uint64_t memory_bytes = 0xffff'f000;
  for (const Mode& mode : output.modes) {
    fb_var_screeninfo wanted{};
    wanted.xres = mode.hdisplay;
    wanted.yres = mode.vdisplay;
    wanted.bits_per_pixel = 8;
    const auto checked = fbemu::check_var(wanted, {output, presentation, current, memory_bytes});
    if (!checked) {
      require(mode.size().area() > memory_bytes, "a mode of the list is accepted if the memory holds it");
      continue;
    }
    require(checked->fb_state.mode.size() == mode.size(), "a mode of the list is used");
    const auto again =
        fbemu::check_var(checked->var, {output, presentation, checked->fb_state, memory_bytes});
    require(again && again->fb_state == checked->fb_state, "the reported timing selects the same mode");
  }
}

void show(drmclient::KmsCard& card, Output& output) {
  const Mode& mode = output.info().modes.front();
  constexpr uint64_t most_pixels = 2'000'000;
  if (mode.size().area() > most_pixels || output.info().formats.empty()) return;
  const auto buffer = card.create_buffer(mode.size(), output.info().formats.front());
  require(buffer.has_value(), "a buffer of the mode's size can be made");
  if (!output.set_mode(mode, **buffer, {})) return;
  const drmclient::Rect damage = drmclient::Rect::of(mode.size());
  static_cast<void>(card.present({output, **buffer, {}, {&damage, 1}}));
  static_cast<void>(output.request_vblank());
  static_cast<void>(card.read_events());
  static_cast<void>(output.capture());
  output.release();
}

void fill(FakeDrm::Connector& connector, Input& input) {
  connector.type = input.take<uint32_t>();
  connector.type_id = input.take<uint32_t>();
  connector.width_mm = input.take<uint32_t>();
  connector.height_mm = input.take<uint32_t>();
  connector.connected = input.take_bool();
  connector.modes.resize(input.take_below(32));
  for (drmModeModeInfo& mode : connector.modes) mode = input.take<drmModeModeInfo>();
}

}  // namespace

void fuzz::run(Input input) {
  const size_t outputs = 1 + input.take_below(3);
  FakeDrm drm(outputs, outputs);
  for (FakeDrm::Connector& connector : drm.connectors) fill(connector, input);
  drmclient::KmsOptions options;
  options.path = drm.path();
  drmclient::KmsCard card(options);
  const auto probed = card.probe();
  require(probed.has_value(), "the card can be read");
  for (Output* const output : *probed) {
    const OutputInfo& info = output->info();
    require(!info.name.empty(), "an output has a name");
    std::ranges::for_each(info.modes, check_mode);
    if (info.modes.empty()) continue;
    check_vars(info);
    require(cuse::choose_initial_mode(card, info, std::nullopt) == info.modes.front(),
            "the first mode is the initial one");
    show(card, *output);
  }
}
