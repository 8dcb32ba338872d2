#pragma once

#include "drmclient/kms/kms_interface.h"

namespace drmclient {

/// The KmsInterface of DRM_IOCTL_MODE_ATOMIC: all-or-nothing commits, with damage clips if the plane supports
/// them.
class AtomicCommit final : public KmsInterface {
 public:
  /// Makes the interface of `device`, which must outlive it.
  explicit AtomicCommit(const DrmDevice& device) : device_(device) {}

  [[nodiscard]] KmsApi api() const override { return KmsApi::atomic; }
  [[nodiscard]] base::Result<void> test_mode(const KmsPipe& pipe, const Mode& mode,
                                             const DumbBuffer& buffer) override;
  [[nodiscard]] base::Result<void> set_mode(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
                                            Point origin) override;
  [[nodiscard]] base::Result<bool> show(const KmsPipe& pipe, const Mode& mode, const DumbBuffer& buffer,
                                        Point origin, std::span<const Rect> damage,
                                        uint64_t user_data) override;
  [[nodiscard]] base::Result<void> set_power(const KmsPipe& pipe, Power power) override;
  [[nodiscard]] base::Result<void> set_gamma(const KmsPipe& pipe, std::span<const GammaEntry> table) override;

 private:
  [[nodiscard]] base::Result<void> commit_mode(const KmsPipe& pipe, const Mode& mode,
                                               const DumbBuffer& buffer, Point origin, uint32_t flags) const;

  const DrmDevice& device_;
};

}  // namespace drmclient
