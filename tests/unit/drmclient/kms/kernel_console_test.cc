#include "drmclient/system/kernel_console.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

using drmclient::has_framebuffer_console;

namespace {

/// A folder like /sys/class/vtconsole.
class KernelConsole : public testing::Test {
 protected:
  KernelConsole() {
    std::string pattern = testing::TempDir() + "vtconsole-XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  ~KernelConsole() override { std::filesystem::remove_all(folder); }
  void add(const char* number, const char* name, const char* bind) const {
    std::filesystem::create_directory(folder / number);
    std::ofstream(folder / number / "name") << name << '\n';
    std::ofstream(folder / number / "bind") << bind << '\n';
  }
  std::filesystem::path folder;
};

}  // namespace

TEST_F(KernelConsole, BoundFramebufferConsoleIsFound) {
  add("vtcon0", "(S) dummy device", "0");
  add("vtcon1", "(M) frame buffer device", "1");
  EXPECT_TRUE(has_framebuffer_console(folder));
}

TEST_F(KernelConsole, UnboundFramebufferConsoleIsIgnored) {
  add("vtcon0", "(S) dummy device", "1");
  add("vtcon1", "(M) frame buffer device", "0");
  EXPECT_FALSE(has_framebuffer_console(folder));
}

TEST_F(KernelConsole, TextModeConsoleIsIgnored) {
  add("vtcon0", "(S) VGA+", "1");
  EXPECT_FALSE(has_framebuffer_console(folder));
}

TEST_F(KernelConsole, MissingFolderHasNoConsole) {
  EXPECT_FALSE(has_framebuffer_console(folder / "missing"));
}
