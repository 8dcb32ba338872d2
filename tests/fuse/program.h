#pragma once

#include <string>

#include "process.h"

namespace fuse_test {

/// The static program fbprogram on a device, told what to do command by command.
class Program {
 public:
  explicit Program(const std::string& device, const ProcessOptions& options = {});
  /// With the commands that prepare it: open and map as said; the test fails where that does.
  Program(const std::string& device, const std::vector<std::string>& commands);

  /// Its answer to a command: "ok", "ok VALUES" or "error NAME"; "no answer" where none came in time.
  std::string ask(const std::string& command);
  /// Only tells; answer() is to be called later.
  void tell(const std::string& command);
  std::string answer(std::chrono::milliseconds limit = hang_limit);
  /// Kills it, and waits until it has gone; false where it does not go.
  bool kill();
  Process& process() { return process_; }

 private:
  Process process_;
};

/// Opens for reading and writing and maps all of it.
inline const std::vector<std::string> open_and_map{"open rw", "map rw smem"};

}  // namespace fuse_test
