#pragma once

#include <span>

#include "drmclient/output.h"

namespace unit {

/// An output that passes every call to another one; the base of doubles.
class ForwardingOutput : public drmclient::Output {
 public:
  /// Makes a double of `inner`, which must outlive it.
  explicit ForwardingOutput(drmclient::Output& inner) : inner_(inner) {}

  [[nodiscard]] const drmclient::OutputInfo& info() const override { return inner_.info(); }
  [[nodiscard]] base::Result<void> set_mode(const drmclient::Mode& mode, drmclient::ScanoutBuffer& buffer,
                                            drmclient::Point origin) override {
    return inner_.set_mode(mode, buffer, origin);
  }
  [[nodiscard]] base::Result<void> check_mode(const drmclient::Mode& mode,
                                              drmclient::ScanoutBuffer& buffer) override {
    return inner_.check_mode(mode, buffer);
  }
  void release() override { inner_.release(); }
  void release_without_restore() override { inner_.release_without_restore(); }
  [[nodiscard]] bool scans_out_our_fb() override { return inner_.scans_out_our_fb(); }
  [[nodiscard]] bool shows_previous_fb() override { return inner_.shows_previous_fb(); }
  [[nodiscard]] drmclient::DriverPaths driver_paths() const override { return inner_.driver_paths(); }
  [[nodiscard]] base::Result<void> set_gamma(std::span<const drmclient::GammaEntry> table) override {
    return inner_.set_gamma(table);
  }
  [[nodiscard]] base::Result<void> set_power(drmclient::Power power) override {
    return inner_.set_power(power);
  }
  [[nodiscard]] base::Result<void> request_vblank() override { return inner_.request_vblank(); }
  [[nodiscard]] base::Result<drmclient::Capture> capture() override { return inner_.capture(); }

 protected:
  [[nodiscard]] drmclient::Output& inner() { return inner_; }

 private:
  drmclient::Output& inner_;
};

}  // namespace unit
