#include "drmclient/system/memory_pressure.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/temporary_folder.h"

using drmclient::MemoryPressure;

TEST(MemoryPressure, TriggerSuitsUnprivilegedProcesses) {
  const unit::TemporaryFolder folder;
  const std::string path = folder.file("memory");
  std::ofstream{path};
  const MemoryPressure pressure(path);
  EXPECT_GE(pressure.descriptor(), 0);
  std::ifstream file(path);
  const std::string written{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(written, std::string("some 200000 2000000\0", 20));
}

TEST(MemoryPressure, DescriptorIsCloseOnExecAndNonBlocking) {
  const unit::TemporaryFolder folder;
  const std::string path = folder.file("memory");
  std::ofstream{path};
  const MemoryPressure pressure(path);
  EXPECT_NE(::fcntl(pressure.descriptor(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(::fcntl(pressure.descriptor(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(MemoryPressure, MissingFileHasNoDescriptor) {
  const MemoryPressure pressure("/proc/pressure/no_such_resource");
  EXPECT_EQ(pressure.descriptor(), -1);
}

TEST(MemoryPressure, RefusedTriggerHasNoDescriptor) {
  // Root can open this file, and every write to it fails.
  const MemoryPressure pressure("/dev/full");
  EXPECT_EQ(pressure.descriptor(), -1);
}

TEST(MemoryPressure, CloseRemovesDescriptor) {
  const unit::TemporaryFolder folder;
  const std::string path = folder.file("memory");
  std::ofstream{path};
  MemoryPressure pressure(path);
  pressure.close();
  EXPECT_EQ(pressure.descriptor(), -1);
}

TEST(MemoryPressure, KernelAcceptsTrigger) {
  if (::access("/proc/pressure/memory", W_OK) != 0)
    GTEST_SKIP() << "this kernel does not report memory pressure";
  const MemoryPressure pressure;
  if (pressure.descriptor() < 0) GTEST_SKIP() << "this process may not make triggers";
  pollfd event{pressure.descriptor(), POLLPRI, 0};
  EXPECT_GE(::poll(&event, 1, 0), 0);
  EXPECT_EQ(event.revents & (POLLERR | POLLNVAL), 0);
}
