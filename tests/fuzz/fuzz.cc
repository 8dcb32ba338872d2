#include "tests/fuzz/fuzz.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>

namespace fuzz {

void require(bool holds, const char* expectation) {
  if (holds) return;
  std::fprintf(stderr, "expected: %s\n", expectation);
  std::abort();
}

}  // namespace fuzz

// libFuzzer calls these two functions, and so does replay.cc.

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  spdlog::set_level(spdlog::level::off);
  // The doubles of tests/support report a failure through googletest; outside a test it must end the process.
  testing::GTEST_FLAG(throw_on_failure) = true;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::run(fuzz::Input(std::as_bytes(std::span(data, size))));
  return 0;
}
