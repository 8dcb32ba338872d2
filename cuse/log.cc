#include "cuse/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace cuse {
namespace {

/// systemd.exec(5): JOURNAL_STREAM holds device and inode of the journal's end of our stderr.
bool stderr_is_journal() {
  const char* variable = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (variable == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  const std::string_view text(variable);
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  dev_t device = 0;
  ino_t inode = 0;
  std::from_chars(text.data(), text.data() + colon, device);
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), inode);
  return device == status.st_dev && inode == status.st_ino;
}

/// The syslog level of a message as sd-daemon(3) wants it in front of a line.
class JournalLevel final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string_view prefix = message.level >= spdlog::level::err    ? SD_ERR
                                    : message.level == spdlog::level::warn ? SD_WARNING
                                    : message.level == spdlog::level::info ? SD_INFO
                                                                           : SD_DEBUG;
    out.append(prefix.data(), prefix.data() + prefix.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JournalLevel>();
  }
};

}  // namespace

void start_logging(bool verbose) {
  auto logger = std::make_shared<spdlog::logger>("fbemud", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  if (stderr_is_journal()) {
    formatter->add_flag<JournalLevel>('*').set_pattern("%*%v");
  } else {
    formatter->set_pattern("%n: %l: %v");
  }
  logger->set_formatter(std::move(formatter));
  logger->set_level(verbose ? spdlog::level::debug : spdlog::level::info);
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace cuse
