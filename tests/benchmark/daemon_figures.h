#pragma once

#include <cstdint>
#include <string>

namespace benchmark {

/// What fbemud has used and done so far.
struct DaemonFigures {
  double cpu_seconds = 0;
  uint64_t wake_ups = 0;  ///< voluntary context switches of all its threads
  uint64_t ticks = 0;
  uint64_t presents = 0;
  uint64_t hot_ticks = 0;
  uint64_t write_backs = 0;
};

/// Asks `fbemuctl` (a path) and /proc. Throws std::runtime_error where no fbemud answers.
[[nodiscard]] DaemonFigures read_daemon_figures(const std::string& fbemuctl);

}  // namespace benchmark
