#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/timer_fd.h"
#include "base/unique_fd.h"
#include "drmclient/card.h"
#include "drmclient/kms/connector_cache.h"
#include "drmclient/kms/drm_device.h"
#include "drmclient/kms/dumb_buffer.h"
#include "drmclient/kms/fbcon_wait.h"
#include "drmclient/kms/kms_output.h"
#include "drmclient/kms/udev_monitor.h"
#include "drmclient/kms_options.h"
#include "drmclient/mapping/mapping_cache.h"
#include "drmclient/system/resume_monitor.h"

namespace drmclient {

/// A card driven through KMS.
///
/// Its node is open only while a buffer exists. The kernel restores its console when any program closes the
/// last descriptor of a card (drm_lastclose()). So a daemon with nothing to show must not have one open. DRM
/// master is held for the duration of one call.
class KmsCard final : public Card {
 public:
  /// Checks the card and closes it again. `clock` must outlive the card. `consoles` has the kernel's list of
  /// console drivers. Throws std::system_error with a message that names the card.
  explicit KmsCard(KmsOptions options, const base::Clock& clock = base::monotonic_clock(),
                   const std::string& consoles = "/sys/class/vtconsole");
  KmsCard(const KmsCard&) = delete;
  KmsCard& operator=(const KmsCard&) = delete;
  ~KmsCard() override;

  [[nodiscard]] const CardInfo& info() const override { return info_; }
  [[nodiscard]] base::Result<std::vector<Output>> probe() override;
  [[nodiscard]] base::Result<std::unique_ptr<ScanoutBuffer>> create_buffer(Size size,
                                                                           PixelFormat format) override;
  [[nodiscard]] base::Result<void> check_mode(OutputId output, const Mode& mode,
                                              ScanoutBuffer& buffer) override;
  [[nodiscard]] base::Result<void> set_mode(OutputId output, const Mode& mode, ScanoutBuffer& buffer,
                                            Point origin) override;
  [[nodiscard]] base::Result<void> present(OutputId output, ScanoutBuffer& buffer, Point origin,
                                           std::span<const Rect> damage) override;
  [[nodiscard]] std::vector<base::Result<void>> present_all(std::span<const Frame> frames) override;
  [[nodiscard]] bool has_console() const override { return fbcon_wait_.is_attached(); }
  void release(OutputId output) override;
  void release_without_restore(OutputId output) override;
  [[nodiscard]] bool scans_out_our_fb(OutputId output) override;
  [[nodiscard]] bool shows_previous_fb(OutputId output) override;
  [[nodiscard]] base::Result<void> check_master() override;
  [[nodiscard]] base::Result<void> set_gamma(OutputId output, std::span<const GammaEntry> table) override;
  [[nodiscard]] base::Result<void> set_power(OutputId output, Power power) override;
  [[nodiscard]] base::Result<void> request_vblank(OutputId output) override;
  [[nodiscard]] int event_descriptor() const override { return epoll_.get(); }
  [[nodiscard]] base::Result<std::vector<Event>> read_events() override;
  [[nodiscard]] base::Result<Capture> capture(OutputId output) override;
  [[nodiscard]] DriverPaths driver_paths(OutputId output) const override;
  [[nodiscard]] MappingStatistics mapping_statistics() const override { return mappings_->statistics(); }
  void release_mappings() override { mappings_->release_all(); }

 private:
  /// The driver's behaviour on an output; kept when the output is released.
  struct OutputQuirks {
    KmsApi api = KmsApi::legacy;
    bool damage_clips = false;
    MappingKind mapping = MappingKind::dumb;
    VblankSource::Kind vblank = VblankSource::Kind::timer;
  };

  [[nodiscard]] base::Result<std::shared_ptr<const DrmDevice>> open_device();
  [[nodiscard]] base::Result<DumbBuffer*> as_dumb_buffer(ScanoutBuffer& buffer, const Mode& mode,
                                                         Point origin) const;
  void probe_later();
  [[nodiscard]] base::Result<std::unique_ptr<KmsOutput>> make_output(const DrmDevice& device,
                                                                     OutputId output);
  [[nodiscard]] KmsOutput* find_enabled(OutputId output) const;
  [[nodiscard]] static OutputQuirks quirks_of(const KmsOutput& enabled);
  std::vector<OutputId> read_device(const DrmDevice& device);
  [[nodiscard]] base::Result<bool> submit(const Frame& frame);
  void wait_for_flips(std::vector<OutputId> outputs);

  KmsOptions options_;
  const base::Clock& clock_;
  CardInfo info_;
  std::shared_ptr<MappingCache> mappings_;  ///< shared with the buffers
  std::weak_ptr<const DrmDevice> device_;   ///< owned by the buffers
  base::UniqueFd epoll_;
  UdevMonitor monitor_;
  FbconWait fbcon_wait_;
  ResumeMonitor resume_monitor_;
  /// Expires when probe() is worth another call, and causes a HotplugEvent.
  base::TimerFd probe_timer_;
  ConnectorCache connectors_;  ///< of the open node
  KmsOutput::CardQuirks card_quirks_;
  std::map<OutputId, std::unique_ptr<KmsOutput>> enabled_outputs_;
  std::map<OutputId, OutputQuirks> output_quirks_;
  /// Vblanks that were read while a flip was awaited. deferred_event_ is readable if there are any.
  std::vector<Event> deferred_events_;
  base::UniqueFd deferred_event_;
};

}  // namespace drmclient
