#include "drmclient/kernel_console.h"

#include <filesystem>
#include <fstream>

namespace drmclient {
namespace {

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

bool has_framebuffer_console(const std::string& folder) {
  std::error_code ignored;
  for (const auto& driver : std::filesystem::directory_iterator(folder, ignored)) {
    // fbcon calls itself "(M) frame buffer device"; "bind" is 1 while it has the terminals.
    if (first_line(driver.path() / "bind") == "1" &&
        first_line(driver.path() / "name").find("frame buffer device") != std::string::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace drmclient
