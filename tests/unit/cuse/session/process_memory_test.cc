#include "cuse/session/process_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <optional>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/error_of.h"
#include "tests/support/reference_pixels.h"
#include "tests/support/temporary_folder.h"

using cuse::ProcessMemory;
using unit::ChildProcess;
using unit::error_of;
using unit::Pipe;

namespace {

constexpr size_t page = 4096;

/// A program with three pages: the first is readable and writable, the second only readable, the third
/// neither. This process has three pages at the same address.
class ProcessMemoryTest : public testing::Test {
 protected:
  ProcessMemoryTest() {
    void* memory = ::mmap(nullptr, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(memory, MAP_FAILED);
    pages = static_cast<std::byte*>(memory);
    address = reinterpret_cast<uint64_t>(memory);
  }
  ~ProcessMemoryTest() override { ::munmap(pages, 3 * page); }

  void SetUp() override {
    program.emplace([this] {
      std::memcpy(pages, contents.data(), contents.size());
      ::mprotect(pages + page, page, PROT_READ);
      ::mprotect(pages + 2 * page, page, PROT_NONE);
      answers.put('r');
      // Then it waits for the request to report byte 5 of its memory.
      static_cast<void>(questions.get());
      answers.put(std::to_integer<char>(pages[5]));
      unit::wait_to_be_killed();
      return 0;
    });
    ASSERT_EQ(answers.get(), 'r');
    char probe = 0;
    const iovec local{&probe, 1};
    const iovec remote{pages, 1};
    if (::process_vm_readv(program->process(), &local, 1, &remote, 1, 0) != 1) {
      GTEST_SKIP() << "requires permission to read the memory of a child process";
    }
  }

  [[nodiscard]] ProcessMemory memory() const { return ProcessMemory(program->process()); }

  std::vector<std::byte> contents = unit::noise(3 * page, 3);
  std::byte* pages = nullptr;
  uint64_t address = 0;
  Pipe answers;
  Pipe questions;
  std::optional<ChildProcess> program;
};

}  // namespace

TEST_F(ProcessMemoryTest, ReadReturnsBytesOfProgram) {
  std::vector<std::byte> bytes(100);
  EXPECT_TRUE(memory().read(address + 10, bytes));
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), contents.begin() + 10));
}

TEST_F(ProcessMemoryTest, WriteChangesMemoryOfProgramOnly) {
  const std::byte answer{'!'};
  EXPECT_TRUE(memory().write(address + 5, {&answer, 1}));
  questions.put('?');
  EXPECT_EQ(answers.get(), '!');
  EXPECT_EQ(pages[5], std::byte{0});
}

TEST_F(ProcessMemoryTest, ReadOfInaccessiblePageReturnsEfault) {
  std::array<std::byte, 4> bytes{};
  EXPECT_EQ(error_of(memory().read(0, bytes)), EFAULT);
  EXPECT_EQ(error_of(memory().read(address + 2 * page, bytes)), EFAULT);
  EXPECT_EQ(error_of(memory().read(0xffff'ffff'ffff'fff0, bytes)), EFAULT);
}

TEST_F(ProcessMemoryTest, ReadAcrossEndOfReadablePagesReturnsEfault) {
  std::array<std::byte, 8> bytes{};
  EXPECT_EQ(error_of(memory().read(address + 2 * page - 4, bytes)), EFAULT);
}

TEST_F(ProcessMemoryTest, WriteToReadOnlyPageReturnsEfault) {
  const std::array<std::byte, 8> bytes{};
  EXPECT_EQ(error_of(memory().write(address + page, bytes)), EFAULT);
  EXPECT_EQ(error_of(memory().write(address + page - 4, bytes)), EFAULT) << "half of it";
}

TEST_F(ProcessMemoryTest, TransferOfNoBytesSucceeds) {
  EXPECT_TRUE(memory().read(0, {}));
  EXPECT_TRUE(memory().write(0, {}));
}

TEST_F(ProcessMemoryTest, ReadOfKilledProcessReturnsEperm) {
  const pid_t process = program->process();
  program->kill();
  std::array<std::byte, 4> bytes{};
  EXPECT_EQ(error_of(ProcessMemory(process).read(address, bytes)), EPERM);
}

TEST_F(ProcessMemoryTest, AccessToProcessInInvisiblePidNamespaceReturnsEperm) {
  std::array<std::byte, 4> bytes{};
  EXPECT_EQ(error_of(ProcessMemory(0).read(address, bytes)), EPERM);
  EXPECT_EQ(error_of(ProcessMemory(0).write(address, bytes)), EPERM);
}

namespace {

/// Returns the log line for a refusal when Yama's file contains `scope`; an empty `scope` means no file.
std::string refusal(const std::string& scope, bool has_ptrace_right, int error = EPERM) {
  const unit::TemporaryFolder folder;
  if (!scope.empty()) std::ofstream(folder.file("ptrace_scope")) << scope << '\n';
  return cuse::explain_refusal(error, has_ptrace_right, folder.file("ptrace_scope"));
}

testing::AssertionResult has(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << text;
}

}  // namespace

TEST(ExplainRefusal, Scope3RequiresRebootAndDoesNotSuggestRoot) {
  for (const bool right : {false, true}) {
    EXPECT_TRUE(has(refusal("3", right), "ptrace_scope is 3, which forbids it to everyone, root too"));
    EXPECT_TRUE(has(refusal("3", right), "boot again"));
    EXPECT_FALSE(has(refusal("3", right), "run fbemud as root"));
  }
}

TEST(ExplainRefusal, Scope2RequiresCapSysPtrace) {
  EXPECT_TRUE(
      has(refusal("2", false), "ptrace_scope is 2, which requires CAP_SYS_PTRACE: run fbemud as root"));
}

TEST(ExplainRefusal, Scope1SuggestsFbemudCommand) {
  EXPECT_TRUE(has(refusal("1", false), "ptrace_scope is 1"));
  EXPECT_TRUE(has(refusal("1", false), "fbemud -- COMMAND"));
}

TEST(ExplainRefusal, WithoutYamaNamesProgramOfOtherUser) {
  for (const char* scope : {"0", ""}) {
    EXPECT_TRUE(has(refusal(scope, false), "only programs of the same user"));
    EXPECT_FALSE(has(refusal(scope, false), "yama"));
  }
}

TEST(ExplainRefusal, WithCapSysPtraceNamesUserNamespaceAndSecurityModule) {
  for (const char* scope : {"0", "1", "2", ""}) {
    EXPECT_TRUE(has(refusal(scope, true), "user namespace"));
    EXPECT_FALSE(has(refusal(scope, true), "as root"));
  }
}

TEST(ExplainRefusal, EsrchAndEnosysNameTheirCauses) {
  EXPECT_TRUE(has(refusal("3", true, ESRCH), "has ended"));
  EXPECT_TRUE(has(refusal("3", true, ENOSYS), "CONFIG_CROSS_MEMORY_ATTACH"));
}
