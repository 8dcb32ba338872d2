#include "tests/benchmark/daemon_figures.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

namespace benchmark {
namespace {

struct ClosePipe {
  void operator()(std::FILE* file) const { ::pclose(file); }
};

nlohmann::json run_json(const std::string& command) {
  const std::unique_ptr<std::FILE, ClosePipe> pipe(::popen(command.c_str(), "re"));
  if (!pipe) throw std::runtime_error("cannot run " + command);
  std::string text;
  std::array<char, 4096> part{};
  for (size_t size = 0; (size = std::fread(part.data(), 1, part.size(), pipe.get())) > 0;) {
    text.append(part.data(), size);
  }
  if (text.empty()) throw std::runtime_error(command + " printed nothing");
  return nlohmann::json::parse(text);
}

/// Calls `look` with the folder of each thread in /proc.
template <typename Look>
void for_each_thread(int process, Look look) {
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
    look(thread.path());
  }
}

/// Returns the CPU time from schedstat, in nanoseconds; /proc/PID/stat counts only hundredths of a second.
double cpu_seconds(int process) {
  double seconds = 0;
  for_each_thread(process, [&](const std::filesystem::path& thread) {
    double nanoseconds = 0;
    std::ifstream(thread / "schedstat") >> nanoseconds;
    seconds += nanoseconds / 1e9;
  });
  return seconds;
}

uint64_t wake_ups(int process) {
  uint64_t sum = 0;
  for_each_thread(process, [&](const std::filesystem::path& thread) {
    std::ifstream file(thread / "status");
    for (std::string line; std::getline(file, line);) {
      constexpr std::string_view name = "voluntary_ctxt_switches:";
      if (line.starts_with(name)) sum += std::stoull(line.substr(name.size()));
    }
  });
  return sum;
}

}  // namespace

DaemonFigures read_daemon_figures(const std::string& fbemuctl) {
  const nlohmann::json stats = run_json(fbemuctl + " stats --json");
  const int process = run_json(fbemuctl + " status --json").at("process").get<int>();
  DaemonFigures figures;
  figures.ticks = stats.at("ticks").get<uint64_t>();
  figures.presents = stats.at("presents").get<uint64_t>();
  figures.hot_ticks = stats.at("hot_ticks").get<uint64_t>();
  figures.write_backs = stats.at("write_backs").get<uint64_t>();
  figures.cpu_seconds = cpu_seconds(process);
  figures.wake_ups = wake_ups(process);
  return figures;
}

}  // namespace benchmark
