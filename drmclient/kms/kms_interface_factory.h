#pragma once

#include <memory>

#include "drmclient/kms/kms_interface.h"

namespace drmclient {

/// Returns the interface for `pipe`: atomic commits if `device` and `pipe` support them, else the legacy
/// calls. `device` must outlive it.
[[nodiscard]] std::unique_ptr<KmsInterface> make_kms_interface(const DrmDevice& device, const KmsPipe& pipe);

}  // namespace drmclient
