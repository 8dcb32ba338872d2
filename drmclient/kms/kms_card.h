#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event_fd.h"
#include "base/timer_fd.h"
#include "drmclient/card.h"
#include "drmclient/kms/drm_device.h"
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
  /// Checks the card and closes it again. `clock` must outlive the card. Throws std::system_error with a
  /// message that names the card.
  explicit KmsCard(KmsOptions options, const base::Clock& clock = base::monotonic_clock());
  KmsCard(const KmsCard&) = delete;
  KmsCard& operator=(const KmsCard&) = delete;
  ~KmsCard() override;

  [[nodiscard]] const CardInfo& info() const override { return info_; }
  [[nodiscard]] base::Result<std::vector<Output*>> probe() override;
  [[nodiscard]] base::Result<std::unique_ptr<ScanoutBuffer>> create_buffer(Size size,
                                                                           PixelFormat format) override;
  [[nodiscard]] std::vector<base::Result<void>> present_all(std::span<const Frame> frames) override;
  [[nodiscard]] bool has_console() const override;
  [[nodiscard]] base::Result<void> check_master() override;
  [[nodiscard]] int event_descriptor() const override { return parts_.epoll.get(); }
  [[nodiscard]] base::Result<std::vector<Event>> read_events() override;
  [[nodiscard]] MappingStatistics mapping_statistics() const override { return mappings_->statistics(); }
  void release_mappings() override { mappings_->release_all(); }

 private:
  [[nodiscard]] base::Result<std::shared_ptr<const DrmDevice>> open_device();
  [[nodiscard]] bool defer_open_for_fbcon();
  void probe_later();
  [[nodiscard]] KmsOutput* find(uint32_t connector_id) const;
  [[nodiscard]] KmsOutput& find_or_make(uint32_t connector_id);
  std::vector<const KmsOutput*> read_device(const DrmDevice& device);
  void wait_for_flips(std::vector<const KmsOutput*> outputs);

  KmsOptions options_;
  KmsCardParts parts_;
  CardInfo info_;
  std::shared_ptr<MappingCache> mappings_;  ///< shared with the buffers
  UdevMonitor monitor_;
  ResumeMonitor resume_monitor_;
  /// Expires when probe() is worth another call, and causes a HotplugEvent.
  base::TimerFd probe_timer_;
  /// Vblanks that were read while a flip was awaited. deferred_event_ is readable if there are any.
  std::vector<Event> deferred_events_;
  bool console_seen_ = false;  ///< fbcon has been attached
  /// Time at which the card's node reappeared without fbcon.
  std::optional<std::chrono::steady_clock::time_point> node_reappeared_at_;
  base::EventFd deferred_event_;
};

}  // namespace drmclient
