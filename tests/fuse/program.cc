#include "program.h"

#include <gtest/gtest.h>

namespace fuse_test {

Program::Program(const std::string& device, const ProcessOptions& options)
    : process_({FBPROGRAM_PATH, device}, options) {}

Program::Program(const std::string& device, const std::vector<std::string>& commands) : Program(device) {
  for (const std::string& command : commands) EXPECT_EQ(ask(command), "ok") << command;
}

std::string Program::ask(const std::string& command) {
  send(command);
  return answer();
}

void Program::send(const std::string& command) {
  process_.send(command + "\n");
}

std::string Program::answer(std::chrono::milliseconds limit) {
  return process_.read_line(limit).value_or("no answer");
}

bool Program::kill() {
  process_.signal(SIGKILL);
  return process_.wait().has_value();
}

}  // namespace fuse_test
