// Runs a target on every file of a folder, without libFuzzer: TARGET_replay FOLDER
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return EXIT_FAILURE;
  }
  LLVMFuzzerInitialize(&argc, &argv);
  unsigned files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    // Printed first, so that the last line names the input of a failure.
    std::printf("%s\n", entry.path().c_str());
    std::fflush(stdout);
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    ++files;
  }
  if (files == 0) std::fprintf(stderr, "there is no input in %s\n", argv[1]);
  return files == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
