#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/epoll.h"
#include "drmclient/events.h"
#include "drmclient/kms/connector_cache.h"
#include "drmclient/kms/drm_device.h"
#include "drmclient/kms/drm_events.h"
#include "drmclient/kms/dumb_buffer.h"
#include "drmclient/kms/enabled_pipe.h"
#include "drmclient/output.h"

namespace drmclient {

class KmsOutput;

/// The parts of a KmsCard that its outputs use.
struct KmsCardParts {
  /// Makes the parts of a closed card without outputs. `card_clock` must outlive them. Throws
  /// std::system_error.
  explicit KmsCardParts(const base::Clock& card_clock);
  KmsCardParts(const KmsCardParts&) = delete;
  KmsCardParts& operator=(const KmsCardParts&) = delete;
  ~KmsCardParts();

  const base::Clock& clock;                         ///< the clock of frames and timeouts
  base::Epoll epoll;                                ///< the descriptors that have events
  std::weak_ptr<const DrmDevice> device;            ///< the open node; owned by the buffers
  ConnectorCache connectors;                        ///< those of the open node
  EnabledPipe::CardQuirks quirks;                   ///< the driver's behaviour
  std::vector<std::unique_ptr<KmsOutput>> outputs;  ///< all connectors that were ever seen
};

/// An output of a KmsCard.
///
/// It is identified by the KMS object id of its connector, which outlives a hotplug and the card's open node.
/// The driver's events carry that id, because an event may arrive after its output was released.
class KmsOutput final : public Output {
 public:
  /// Makes a disabled output of the connector with the KMS object id `connector_id`. `card` must outlive it.
  KmsOutput(uint32_t connector_id, KmsCardParts& card);
  KmsOutput(const KmsOutput&) = delete;
  KmsOutput& operator=(const KmsOutput&) = delete;
  ~KmsOutput() override = default;

  /// Returns the KMS object id of the connector.
  [[nodiscard]] uint32_t connector_id() const { return connector_id_; }
  /// Sets the properties that Card::probe() has read.
  void set_info(OutputInfo info) { info_ = std::move(info); }
  /// Marks the output as disconnected, because its connector disappeared.
  void set_disconnected() { info_.connected = false; }

  [[nodiscard]] const OutputInfo& info() const override { return info_; }
  [[nodiscard]] base::Result<void> set_mode(const Mode& mode, ScanoutBuffer& buffer, Point origin) override;
  [[nodiscard]] base::Result<void> check_mode(const Mode& mode, ScanoutBuffer& buffer) override;
  void release() override;
  void release_without_restore() override;
  [[nodiscard]] bool scans_out_our_fb() override;
  [[nodiscard]] bool shows_previous_fb() override;
  [[nodiscard]] DriverPaths driver_paths() const override;
  [[nodiscard]] base::Result<void> set_gamma(std::span<const GammaEntry> table) override;
  [[nodiscard]] base::Result<void> set_power(Power power) override;
  [[nodiscard]] base::Result<void> request_vblank() override;
  [[nodiscard]] base::Result<Capture> capture() override;

  /// Submits a frame, as EnabledPipe::submit() does. Errors: also EINVAL as Card::present().
  [[nodiscard]] base::Result<bool> submit(ScanoutBuffer& buffer, Point origin, std::span<const Rect> damage);
  /// Notes that the frame of submit(), if there was one, is on the screen.
  void presented();
  /// Returns the vblank of the driver's `event`; nothing if the output does not wait for it.
  [[nodiscard]] std::optional<VblankEvent> take(const DrmVblank& event);
  /// Returns the vblank of the timer, if it is due. Does not block.
  [[nodiscard]] std::optional<VblankEvent> read_timer();

 private:
  /// The driver's behaviour on the output; kept when the output is released.
  struct Quirks {
    KmsApi api = KmsApi::legacy;
    bool damage_clips = false;
    MappingKind mapping = MappingKind::dumb;
    VblankSource::Kind vblank = VblankSource::Kind::timer;
  };

  [[nodiscard]] base::Result<EnabledPipe*> enabled() const;
  [[nodiscard]] base::Result<DumbBuffer*> as_dumb_buffer(ScanoutBuffer& buffer, const Mode& mode,
                                                         Point origin) const;
  [[nodiscard]] base::Result<std::unique_ptr<EnabledPipe>> make_pipe(const DrmDevice& device);
  [[nodiscard]] static Quirks quirks_of(const EnabledPipe& pipe);

  uint32_t connector_id_;
  KmsCardParts& card_;
  OutputInfo info_;
  std::unique_ptr<EnabledPipe> pipe_;  ///< null while the output is disabled
  std::optional<Quirks> quirks_;       ///< of the last pipe
};

}  // namespace drmclient
