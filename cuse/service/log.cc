#include "cuse/service/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace cuse {
namespace {

/// Returns true if stderr is connected to the journal. systemd.exec(5): JOURNAL_STREAM holds device and inode
/// of that connection.
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

/// The syslog level of a message, written in front of a line as sd-daemon(3) describes it: "<3>".
class JournalLevel final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const int level = message.level >= spdlog::level::err    ? LOG_ERR
                      : message.level == spdlog::level::warn ? LOG_WARNING
                      : message.level == spdlog::level::info ? LOG_INFO
                                                             : LOG_DEBUG;
    out.push_back('<');
    out.push_back(static_cast<char>('0' + level));
    out.push_back('>');
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
