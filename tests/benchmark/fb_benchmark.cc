// Draws on a framebuffer device, as programs do, and prints the figures as JSON. Each round also draws on
// plain shared memory, so that the result is a ratio within one run.

#include <fcntl.h>
#include <linux/fb.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "base/unique_fd.h"
#include "tests/benchmark/daemon_figures.h"
#include "tests/benchmark/drawing.h"

namespace {

using benchmark::Canvas;
using benchmark::DaemonFigures;
using benchmark::Score;
using nlohmann::json;

struct Case {
  std::string name;
  Score (*run)(const Canvas&, benchmark::Seconds);
  bool on_plain_memory;  ///< true if the case also runs on plain memory
};

const std::vector<Case>& all_cases() {
  static const std::vector<Case> cases{
      {"full_stores", &benchmark::full_stores, true},
      {"full_copies", &benchmark::full_copies, true},
      {"scattered_pixels", &benchmark::scattered_pixels, true},
      {"paced_60hz", &benchmark::paced_frames, true},
      {"full_pwrite", &benchmark::full_writes, false},
      {"line_pwrite", &benchmark::line_writes, false},
      {"ioctl", &benchmark::ioctls, false},
      {"idle", &benchmark::idle, false},
  };
  return cases;
}

Canvas map_pixels(int descriptor, size_t bytes) {
  void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (address == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  Canvas canvas;
  canvas.pixels = {static_cast<uint32_t*>(address), bytes / sizeof(uint32_t)};
  return canvas;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

struct Settings {
  std::string device;
  double seconds = 2;
  unsigned rounds = 5;
  std::string fbemuctl;
  std::vector<std::string> only;
};

/// Returns the daemon's rates while a case ran on the device.
json daemon_json(const DaemonFigures& before, const DaemonFigures& after, double seconds) {
  const auto rate = [seconds](uint64_t from, uint64_t to) {
    return static_cast<double>(to - from) / seconds;
  };
  return {{"presented_per_second", rate(before.presents, after.presents)},
          {"ticks_per_second", rate(before.ticks, after.ticks)},
          {"hot_ticks_per_second", rate(before.hot_ticks, after.hot_ticks)},
          {"write_backs_per_second", rate(before.write_backs, after.write_backs)},
          {"wake_ups_per_second", rate(before.wake_ups, after.wake_ups)},
          {"cpu_percent", 100 * (after.cpu_seconds - before.cpu_seconds) / seconds}};
}

json run_case(const Case& test, const Canvas& node, const Canvas& plain, const Settings& settings) {
  const benchmark::Seconds length(settings.seconds);
  std::vector<double> rates;
  std::vector<double> ratios;
  DaemonFigures before;
  DaemonFigures after;
  double seconds = 0;
  json daemon;
  for (unsigned round = 0; round < settings.rounds; ++round) {
    if (!settings.fbemuctl.empty()) before = benchmark::read_daemon_figures(settings.fbemuctl);
    const Score score = test.run(node, length);
    if (!settings.fbemuctl.empty()) {
      after = benchmark::read_daemon_figures(settings.fbemuctl);
      seconds = score.seconds;
      daemon = daemon_json(before, after, seconds);
    }
    rates.push_back(score.per_second());
    if (test.on_plain_memory) ratios.push_back(score.per_second() / test.run(plain, length).per_second());
  }
  json result{{"per_second", median(rates)}};
  if (!ratios.empty()) result["ratio_to_plain_memory"] = median(ratios);
  if (!daemon.is_null()) result["daemon_last_round"] = daemon;
  return result;
}

json run(const Settings& settings) {
  const base::UniqueFd device(::open(settings.device.c_str(), O_RDWR | O_CLOEXEC));
  if (!device) throw std::system_error(errno, std::generic_category(), settings.device);
  fb_var_screeninfo var{};
  fb_fix_screeninfo fix{};
  if (::ioctl(device.get(), FBIOGET_VSCREENINFO, &var) != 0 ||
      ::ioctl(device.get(), FBIOGET_FSCREENINFO, &fix) != 0) {
    throw std::system_error(errno, std::generic_category(), settings.device + " is not a framebuffer");
  }
  const size_t bytes = size_t{fix.line_length} * var.yres;
  Canvas node = map_pixels(device.get(), bytes);
  node.descriptor = device.get();
  node.pitch_bytes = fix.line_length;
  const base::UniqueFd memory(::memfd_create("plain", MFD_CLOEXEC));
  if (!memory || ::ftruncate(memory.get(), static_cast<off_t>(bytes)) != 0) {
    throw std::system_error(errno, std::generic_category(), "memfd_create");
  }
  const Canvas plain = map_pixels(memory.get(), bytes);

  json results;
  const std::set<std::string> wanted(settings.only.begin(), settings.only.end());
  for (const Case& test : all_cases()) {
    if (!wanted.empty() && !wanted.contains(test.name)) continue;
    results[test.name] = run_case(test, node, plain, settings);
  }
  return {{"device", settings.device},
          {"id", std::string(fix.id, ::strnlen(fix.id, sizeof fix.id))},
          {"width", var.xres},
          {"height", var.yres},
          {"bits_per_pixel", var.bits_per_pixel},
          {"seconds", settings.seconds},
          {"rounds", settings.rounds},
          {"cases", results}};
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  const char* variable = std::getenv("FRAMEBUFFER");
  settings.device = variable != nullptr ? variable : "/dev/fb0";
  CLI::App app{"Measures drawing on a framebuffer device; prints JSON. It overwrites the picture."};
  app.add_option("--device", settings.device, "default: $FRAMEBUFFER, else /dev/fb0")->capture_default_str();
  app.add_option("--seconds", settings.seconds, "length of one case in one round")->capture_default_str();
  app.add_option("--rounds", settings.rounds, "number of rounds; the result is their median")
      ->capture_default_str();
  app.add_option("--fbemuctl", settings.fbemuctl, "path of fbemuctl; adds figures of the daemon");
  app.add_option("--case", settings.only, "run only this case (may be repeated)");
  CLI11_PARSE(app, argc, argv);
  try {
    constexpr int indent = 2;
    std::cout << run(settings).dump(indent) << '\n';
  } catch (const std::exception& error) {
    std::cerr << "fb_benchmark: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
