#pragma once

namespace cuse {

/// A monitor of the machine's sleep that freezes the programs before it and thaws them afterwards. The
/// destructor ends it.
class SleepMonitor {
 public:
  SleepMonitor() = default;
  SleepMonitor(const SleepMonitor&) = delete;
  SleepMonitor& operator=(const SleepMonitor&) = delete;
  virtual ~SleepMonitor() = default;
};

}  // namespace cuse
