#include "drmclient/system/kernel_console.h"

#include <algorithm>
#include <filesystem>

#include "base/text_file.h"

namespace drmclient {

bool has_framebuffer_console(const std::string& folder) {
  std::error_code ignored;
  const std::filesystem::directory_iterator drivers(folder, ignored);
  // The name of fbcon is "(M) frame buffer device". Its "bind" is 1 while it drives the terminals.
  return std::any_of(begin(drivers), end(drivers), [](const auto& driver) {
    return base::first_line(driver.path() / "bind") == "1" &&
           base::first_line(driver.path() / "name").find("frame buffer device") != std::string::npos;
  });
}

}  // namespace drmclient
