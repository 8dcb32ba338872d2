#pragma once

#include "drmclient/kms_commit.h"

namespace drmclient {

/// KmsCommit through the calls from before atomic: SETCRTC, the DPMS property, SETGAMMA.
class LegacyCommit final : public KmsCommit {
 public:
  /// `device` must outlive it.
  explicit LegacyCommit(const DrmDevice& device) : device_(device) {}

  [[nodiscard]] DrmDevice::Interface interface() const override { return DrmDevice::Interface::legacy; }
  [[nodiscard]] Result<void> test_mode(const KmsPipe&, const Mode&, const DumbBuffer&) override { return {}; }
  [[nodiscard]] Result<void> set_mode(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
                                      Point origin) override;
  [[nodiscard]] Result<bool> show(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
                                  Point origin, std::span<const Rect> damage, uint64_t user_data) override;
  [[nodiscard]] Result<void> set_power(const KmsPipe& pipe, Power power) override;
  [[nodiscard]] Result<void> set_gamma(const KmsPipe& pipe, std::span<const GammaEntry> table) override;

 private:
  const DrmDevice& device_;
};

}  // namespace drmclient
