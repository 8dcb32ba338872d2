#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event_fd.h"
#include "base/timer_fd.h"
#include "drmclient/card.h"
#include "drmclient/kms/drm_device.h"
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
  [[nodiscard]] base::Result<std::vector<Output*>> probe() override;
  [[nodiscard]] base::Result<std::unique_ptr<ScanoutBuffer>> create_buffer(Size size,
                                                                           PixelFormat format) override;
  [[nodiscard]] std::vector<base::Result<void>> present_all(std::span<const Frame> frames) override;
  [[nodiscard]] bool has_console() const override { return fbcon_wait_.is_attached(); }
  [[nodiscard]] base::Result<void> check_master() override;
  [[nodiscard]] int event_descriptor() const override { return parts_.epoll.get(); }
  [[nodiscard]] base::Result<std::vector<Event>> read_events() override;
  [[nodiscard]] MappingStatistics mapping_statistics() const override { return mappings_->statistics(); }
  void release_mappings() override { mappings_->release_all(); }

 private:
  [[nodiscard]] base::Result<std::shared_ptr<const DrmDevice>> open_device();
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
  FbconWait fbcon_wait_;
  ResumeMonitor resume_monitor_;
  /// Expires when probe() is worth another call, and causes a HotplugEvent.
  base::TimerFd probe_timer_;
  /// Vblanks that were read while a flip was awaited. deferred_event_ is readable if there are any.
  std::vector<Event> deferred_events_;
  base::EventFd deferred_event_;
};

}  // namespace drmclient
