#pragma once

#include <string>

#include "process.h"

namespace fuse_test {

/// The static program fbprogram on a device, controlled by commands.
class Program {
 public:
  explicit Program(const std::string& device, const ProcessOptions& options = {});
  /// Starts fbprogram and runs `commands`; the test fails if one does.
  Program(const std::string& device, const std::vector<std::string>& commands);

  /// Returns the answer to a command: "ok", "ok VALUES" or "error NAME"; "no answer" at the limit.
  std::string ask(const std::string& command);
  /// Sends a command; call answer() later.
  void send(const std::string& command);
  std::string answer(std::chrono::milliseconds limit = hang_limit);
  /// Kills it and waits for its end. Returns false if it does not end.
  bool kill();
  Process& process() { return process_; }

 private:
  Process process_;
};

/// Commands to open the device for reading and writing and map all of it.
inline const std::vector<std::string> open_and_map{"open rw", "map rw smem"};

}  // namespace fuse_test
