#pragma once

#include "drmclient/kms/kms_interface.h"

namespace drmclient {

/// The KmsInterface of the calls that preceded atomic commits: SETCRTC, the DPMS property, SETGAMMA.
class LegacyCommit final : public KmsInterface {
 public:
  /// Makes the interface of `device`, which must outlive it.
  explicit LegacyCommit(const DrmDevice& device) : device_(device) {}

  [[nodiscard]] KmsApi api() const override { return KmsApi::legacy; }
  [[nodiscard]] base::Result<void> test_mode(const KmsPipe&, const Mode&, const DumbBuffer&) override {
    return {};
  }
  [[nodiscard]] base::Result<void> set_mode(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
                                            Point origin) override;
  [[nodiscard]] base::Result<bool> show(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
                                        Point origin, std::span<const Rect> damage,
                                        uint64_t user_data) override;
  [[nodiscard]] base::Result<void> set_power(const KmsPipe& pipe, Power power) override;
  [[nodiscard]] base::Result<void> set_gamma(const KmsPipe& pipe, std::span<const GammaEntry> table) override;

 private:
  const DrmDevice& device_;
};

}  // namespace drmclient
