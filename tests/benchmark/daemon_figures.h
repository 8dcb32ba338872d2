#pragma once

#include <cstdint>
#include <string>

namespace benchmark {

/// Counters of an fbemud since its start.
struct DaemonFigures {
  double cpu_seconds = 0;
  uint64_t wake_ups = 0;  ///< voluntary context switches of all threads
  uint64_t ticks = 0;
  uint64_t presents = 0;
  uint64_t hot_ticks = 0;
  uint64_t write_backs = 0;
};

/// Reads the counters through `fbemuctl` (a path) and from /proc. Throws std::runtime_error if no fbemud
/// answers.
[[nodiscard]] DaemonFigures read_daemon_figures(const std::string& fbemuctl);

}  // namespace benchmark
