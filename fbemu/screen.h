#pragma once

#include <memory>
#include <system_error>
#include <vector>

#include "drmclient/card.h"
#include "fbemu/byte_range.h"
#include "fbemu/program_pages.h"
#include "fbemu/region.h"
#include "fbemu/scene.h"
#include "fbemu/shadow.h"
#include "fbemu/statistics.h"
#include "fbemu/uploader.h"

namespace fbemu {

/// One output of a card and the scene that it shows: its mode, its buffers, and what is not yet on it. Used
/// by the presenter's thread alone.
///
/// A changed part is copied to the buffer on the screen. A changed scene (panning, a new palette) is made in
/// a second buffer, and the output flips to it, so that nobody sees half of it.
class Screen {
 public:
  /// All of them must outlive the screen.
  Screen(drmclient::Card& card, drmclient::Output output, const Shadow& shadow, Statistics& statistics);

  /// Where live pixels are read; null: what is in the shadow is all there is.
  void set_pages(ProgramPages* pages) { pages_ = pages; }

  [[nodiscard]] const drmclient::Output& output() const { return output_; }
  [[nodiscard]] const Scene& scene() const { return scene_; }
  /// Shows this scene once the output is lit.
  void set_scene(const Scene& scene) { scene_ = scene; }
  [[nodiscard]] bool is_lit() const { return lit_; }
  [[nodiscard]] bool is_visible() const { return lit_ && power_ == drmclient::Power::on; }
  [[nodiscard]] drmclient::Power power() const { return power_; }
  /// The scan-out format of the last buffer.
  [[nodiscard]] drmclient::PixelFormat format() const { return format_; }
  /// Why the last attempt to change the screen failed; no error where it did not.
  [[nodiscard]] std::error_code error() const { return error_; }
  /// The card and the output, for a person to read.
  [[nodiscard]] std::string name() const;

  /// Whether the output could be lit with `scene`, as far as the driver can be asked now. Errors: the
  /// driver's.
  [[nodiscard]] drmclient::Result<void> check(const Scene& scene);
  /// Makes a buffer for the scene's mode, fills it and lights the output with it. On an error all is as
  /// before.
  drmclient::Result<void> light(const Scene& scene);
  /// As light() with the present scene, with the power level that was last asked for, and told to the log.
  bool light_again();
  /// Takes a scene over. Returns 0, or the errno with which its mode was refused; then the scene before
  /// stays.
  int apply(const Scene& scene);
  /// Gives the output back to the kernel's console; without one the picture stays.
  void give_back();
  void set_power(drmclient::Power power);
  /// Looks at the outputs anew. True where the output was plugged in again.
  bool handle_hotplug();

  /// All of it has to be uploaded again.
  void mark_stale() { stale_ = true; }
  [[nodiscard]] bool is_stale() const { return stale_; }
  /// Whether something waits for a present() that may succeed.
  [[nodiscard]] bool has_work() const { return is_visible() && (stale_ || !unpresented_.empty()); }
  /// Uploads what lies in these bytes of the shadow.
  void upload_damage(const std::vector<ByteRange>& ranges);
  /// Uploads all, as programs see it now.
  void upload_all();
  /// Tells the driver what was uploaded. False where the card is gone: then the output is no longer lit.
  bool present();
  /// Another DRM master may have come and gone without a trace: looks now and then.
  void check_that_it_shows();

  /// Logs a cause once, not at each vblank.
  void report(std::error_code error);

 private:
  struct Buffer {
    std::unique_ptr<drmclient::ScanoutBuffer> memory;
    Placement border;  ///< it is black around this; nothing: it has not been cleared yet
  };

  drmclient::Result<void> light_with(const Scene& scene, drmclient::PixelFormat format);
  drmclient::Result<void> upload_all_to(Buffer& buffer, const Scene& scene);
  /// The buffer for a whole picture: the spare one where the output is to flip.
  [[nodiscard]] Buffer& buffer_for_all();

  drmclient::Card& card_;
  drmclient::Output output_;
  const Shadow& shadow_;
  Statistics& statistics_;
  ProgramPages* pages_ = nullptr;
  Uploader uploader_;

  Scene scene_;
  bool lit_ = false;
  Buffer front_;  ///< none until the output is lit
  Buffer spare_;  ///< made when first needed
  drmclient::PixelFormat format_ = drmclient::PixelFormat::xrgb8888;
  drmclient::Power power_ = drmclient::Power::on;
  Region unpresented_;  ///< uploaded or to be uploaded, but refused by the card so far; scan-out coordinates
  bool stale_ = false;
  bool flips_ = false;  ///< the next whole picture comes in the spare buffer
  unsigned ticks_to_check_ = 0;
  std::error_code error_;
};

}  // namespace fbemu
