#pragma once

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unit {

/// Takes the log's messages from its construction to its destruction. Other threads may log in between, but
/// not while it is constructed or destroyed.
class LogCapture {
 public:
  LogCapture() { spdlog::set_default_logger(std::make_shared<spdlog::logger>("captured", sink_)); }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  /// The number of messages that contain `text`.
  [[nodiscard]] long count(std::string_view text) const { return sink_->count(text); }

 private:
  class Sink final : public spdlog::sinks::base_sink<std::mutex> {
   public:
    [[nodiscard]] long count(std::string_view text) {
      const std::lock_guard lock(mutex_);
      return std::ranges::count_if(
          messages_, [&](const std::string& message) { return message.find(text) != std::string::npos; });
    }

   protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
      messages_.emplace_back(message.payload.data(), message.payload.size());
    }
    void flush_() override {}

   private:
    std::vector<std::string> messages_;
  };

  std::shared_ptr<Sink> sink_ = std::make_shared<Sink>();
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

}  // namespace unit
