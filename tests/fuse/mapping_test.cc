// Mappings of the framebuffer by a static program, in every way that programs use.

#include <fcntl.h>
#include <unistd.h>

#include "daemon.h"
#include "device_file.h"
#include "program.h"

namespace fuse_test {
namespace {

struct Mapping {
  std::string name;
  std::string protection;
  long more;  ///< bytes added to smem_len
};

std::ostream& operator<<(std::ostream& stream, const Mapping& mapping) {
  return stream << mapping.name;
}

/// A size of which neither a line nor a screenful is a whole number of pages.
constexpr uint32_t width = 322;
constexpr uint32_t height = 241;
const DaemonOptions odd_size{.card = "headless:322x241"};

class MappedTest : public DaemonTest, public testing::WithParamInterface<Mapping> {};

TEST_P(MappedTest, StoresAreShown) {
  Daemon& daemon = start(odd_size);
  Program program(daemon.device(), {"open rw"});
  ASSERT_EQ(program.ask("map " + GetParam().protection + " smem " + std::to_string(GetParam().more)), "ok");
  EXPECT_EQ(program.ask("picture 1"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, 1)));
}

INSTANTIATE_TEST_SUITE_P(
    Lengths, MappedTest,
    testing::Values(Mapping{"LessReadWrite", "rw", -4096 * 10}, Mapping{"ExactReadWrite", "rw", 0},
                    Mapping{"PageMoreReadWrite", "rw", 4096}, Mapping{"LessWriteOnly", "w", -4096 * 10},
                    Mapping{"ExactWriteOnly", "w", 0}, Mapping{"PageMoreWriteOnly", "w", 4096},
                    Mapping{"NoPagesReadWrite", "rw", -4096 * 9 - 1000}),
    [](const auto& tested) { return tested.param.name; });

class MappingTest : public DaemonTest {};

TEST_F(MappingTest, ReadOnlyMappingOfAnyLengthShowsPixels) {
  Daemon& daemon = start(odd_size);
  Program painter(daemon.device(), open_and_map);
  ASSERT_EQ(painter.ask("picture 2"), "ok");
  for (const char* more : {"-40960", "-37864", "0", "4096"}) {
    Program program(daemon.device(), {"open ro"});
    ASSERT_EQ(program.ask(std::string("map r smem ") + more), "ok");
    EXPECT_EQ(program.ask("check 2"), "ok") << more;
  }
}

TEST_F(MappingTest, AccessBeyondLastPageIsSigbus) {
  Daemon& daemon = start(odd_size);
  const DeviceFile file(daemon.device());
  const uint32_t bytes = file.fix().smem_len;
  Program program(daemon.device(), {"open rw", "map rw smem 8192"});
  EXPECT_EQ(program.ask("poke " + std::to_string(bytes - 4) + " 0x123456"), "ok");
  EXPECT_EQ(program.ask("peek " + std::to_string(bytes - 4)), "ok 0x00123456");
  EXPECT_EQ(program.ask("poke " + std::to_string(bytes) + " 1"), "error SIGBUS");
  EXPECT_EQ(program.ask("peek " + std::to_string(bytes + 4096)), "error SIGBUS");
  EXPECT_EQ(program.ask("picture 3"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(width, height, 3)));
}

TEST_F(MappingTest, MemoryIsTwoScreensRoundedUpToPages) {
  Daemon& daemon = start(odd_size);
  const DeviceFile file(daemon.device());
  EXPECT_EQ(file.fix().smem_len, 622'592U);  // 2 * 241 * 322 * 4, rounded up to 4096
  EXPECT_EQ(file.fix().line_length, width * 4);
}

TEST_F(MappingTest, WritableMappingOfReadOnlyFileReturnsEacces) {
  Daemon& daemon = start();
  Program program(daemon.device(), {"open ro"});
  EXPECT_EQ(program.ask("map rw smem"), "error EACCES");
  EXPECT_EQ(program.ask("map w smem"), "error EACCES");
  EXPECT_EQ(program.ask("map r smem"), "ok");
}

TEST_F(MappingTest, WriteOnlyFileIsWritableButNotMappable) {
  Daemon& daemon = start();
  Program program(daemon.device(), {"open wo"});
  EXPECT_EQ(program.ask("map w smem"), "error EACCES");
  EXPECT_EQ(program.ask("write 0 1228800 0x55"), "ok 1228800");
  EXPECT_EQ(daemon.screenshot().pixels, std::vector<uint32_t>(640 * 480, 0x555555));
}

TEST_F(MappingTest, StoresInPrivateMappingAreNotShown) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  ASSERT_EQ(program.ask("picture 4"), "ok");
  Program secret(daemon.device(), {"open rw", "map rw smem 0 private"});
  EXPECT_EQ(secret.ask("check 4"), "ok");
  EXPECT_EQ(secret.ask("picture 5"), "ok");
  EXPECT_EQ(secret.ask("check 5"), "ok");
  EXPECT_EQ(program.ask("check 4"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(640, 480, 4)));
}

TEST_F(MappingTest, ProgramsShareMemory) {
  Daemon& daemon = start();
  Program first(daemon.device(), open_and_map);
  Program second(daemon.device(), open_and_map);
  EXPECT_EQ(first.ask("picture 1 0 240"), "ok");
  EXPECT_EQ(second.ask("picture 2 240 240"), "ok");
  EXPECT_EQ(second.ask("check 1 0 240"), "ok");
  EXPECT_EQ(first.ask("check 2 240 240"), "ok");
  Picture both = drawn_picture(640, 480, 1);
  const Picture lower = drawn_picture(640, 240, 2, 240);
  std::copy(lower.pixels.begin(), lower.pixels.end(), both.pixels.begin() + 640 * 240);
  EXPECT_TRUE(same(daemon.screenshot(), both));
}

TEST_F(MappingTest, ChildSharesMappingOfParent) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  EXPECT_EQ(program.ask("picture 1"), "ok");
  EXPECT_EQ(program.ask("fork check 1"), "ok");
  EXPECT_EQ(program.ask("fork picture 6"), "ok");
  EXPECT_EQ(program.ask("check 6"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(640, 480, 6)));
}

TEST_F(MappingTest, MappingOutlivesClose) {
  Daemon& daemon = start();
  Program program(daemon.device(), {"open rw", "map rw smem", "close", "picture 7"});
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(640, 480, 7)));
  EXPECT_EQ(program.ask("picture 8"), "ok");
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(640, 480, 8)));
  EXPECT_EQ(daemon.status().at("open_writers"), 1) << "the mapping keeps the file open";
  EXPECT_EQ(program.ask("unmap"), "ok");
  EXPECT_TRUE(eventually([&] { return daemon.status().at("open_files") == 0; }));
  EXPECT_TRUE(same(daemon.screenshot(), drawn_picture(640, 480, 8)));
}

TEST_F(MappingTest, FirstAccessMayBeMmap) {
  // The root of a fresh mount has size 0 until its attributes are read. The daemon must do that before a
  // program can open the file.
  Daemon& daemon = start();
  const DeviceFile file(daemon.device());
  const DeviceMap map(file);
  for (size_t page = 0; page < map.bytes() / 4; page += 1024) EXPECT_EQ(map[page], 0U);
}

TEST_F(MappingTest, ScatteredPixelsAreAllShown) {
  Daemon& daemon = start();
  Program program(daemon.device(), open_and_map);
  Picture expected = black_picture(640, 480);
  for (uint32_t i = 0; i < 300; ++i) {
    const uint32_t x = i * 7919 % 640;
    const uint32_t y = i * 104729 % 480;
    const uint32_t value = 0x010203 * (1 + i % 80);
    ASSERT_EQ(
        program.ask("rect " + std::to_string(x) + " " + std::to_string(y) + " 1 1 " + std::to_string(value)),
        "ok");
    expected.pixels[size_t{y} * 640 + x] = value;
  }
  EXPECT_TRUE(same(daemon.screenshot(), expected));
}

}  // namespace
}  // namespace fuse_test
