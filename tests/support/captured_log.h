#pragma once

#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace unit {

/// A replacement of spdlog's default logger that keeps the last 4096 lines, as "LEVEL: MESSAGE", from level
/// debug on. Other threads may log in the meantime, but not while it is constructed or destroyed.
class CapturedLog {
 public:
  CapturedLog() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("captured", sink_);
    logger->set_pattern("%l: %v");
    logger->set_level(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  /// Returns the number of lines that contain `text`.
  [[nodiscard]] long count(const std::string& text) const {
    const std::vector<std::string> lines = sink_->last_formatted();
    return std::ranges::count_if(
        lines, [&](const std::string& line) { return line.find(text) != std::string::npos; });
  }

 private:
  static constexpr size_t most_lines = 4096;
  std::shared_ptr<spdlog::sinks::ringbuffer_sink_mt> sink_ =
      std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(most_lines);
  std::shared_ptr<spdlog::logger> before_;
};

}  // namespace unit
