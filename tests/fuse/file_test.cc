// read(2), write(2) and the other calls of a file, with the results of fb_read() and fb_write().

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "daemon.h"
#include "device_file.h"

namespace fuse_test {
namespace {

constexpr off_t total = 640 * 480 * 4 * 2;

class FileTest : public DaemonTest {
 protected:
  void SetUp() override {
    DaemonTest::SetUp();
    if (!IsSkipped()) daemon_ = &start();
  }
  [[nodiscard]] Daemon& daemon() const { return *daemon_; }

  /// Writes `size` bytes at `offset`. Returns the result of write(2), or a negative errno.
  static ssize_t write_at(const DeviceFile& file, off_t offset, size_t size) {
    const std::string bytes(size, '\x5a');
    const ssize_t written = ::pwrite(file.get(), bytes.data(), bytes.size(), offset);
    return written < 0 ? -errno : written;
  }
  static ssize_t read_at(const DeviceFile& file, off_t offset, size_t size) {
    std::string bytes(size, '\0');
    const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), offset);
    return got < 0 ? -errno : got;
  }

 private:
  Daemon* daemon_ = nullptr;
};

TEST_F(FileTest, WriteIsShortAtEndAndReturnsEnospcOrEfbigBeyond) {
  const DeviceFile file(daemon().device());
  EXPECT_EQ(write_at(file, total - 100, 100), 100);
  EXPECT_EQ(write_at(file, total - 100, 4096), 100);
  EXPECT_EQ(write_at(file, total - 1, 2), 1);
  EXPECT_EQ(write_at(file, total, 1), -ENOSPC);
  EXPECT_EQ(write_at(file, total + 1, 1), -EFBIG);
  EXPECT_EQ(write_at(file, total + 1'000'000, 10), -EFBIG);
  EXPECT_EQ(write_at(file, 0, 0), 0);
  EXPECT_EQ(write_at(file, total, 0), 0);
  struct stat status {};
  ASSERT_EQ(::fstat(file.get(), &status), 0);
  EXPECT_EQ(status.st_size, total) << "no write changes the size";
}

TEST_F(FileTest, WriteLargerThanMemoryIsShort) {
  const DeviceFile file(daemon().device());
  EXPECT_EQ(write_at(file, 0, total + 8192), total);
  EXPECT_EQ(daemon().screenshot().pixels, std::vector<uint32_t>(640 * 480, 0x5a5a5a));
}

TEST_F(FileTest, ReadIsShortAtEndAndReturnsZeroBeyond) {
  const DeviceFile file(daemon().device());
  EXPECT_EQ(read_at(file, total - 100, 4096), 100);
  EXPECT_EQ(read_at(file, total, 1), 0);
  EXPECT_EQ(read_at(file, total + 5000, 10), 0);
  EXPECT_EQ(read_at(file, 0, total + 8192), total);
}

TEST_F(FileTest, FilePositionFollowsReadsAndWrites) {
  const DeviceFile file(daemon().device());
  ASSERT_EQ(::lseek(file.get(), 1000, SEEK_SET), 1000);
  ASSERT_EQ(::write(file.get(), "abcdef", 6), 6);
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_CUR), 1006);
  ASSERT_EQ(::lseek(file.get(), -4, SEEK_CUR), 1002);
  std::array<char, 4> bytes{};
  ASSERT_EQ(::read(file.get(), bytes.data(), bytes.size()), 4);
  EXPECT_EQ(std::string(bytes.data(), bytes.size()), "cdef");
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_END), total);
  EXPECT_EQ(::lseek(file.get(), total + 10, SEEK_SET), total + 10);
  EXPECT_EQ(::lseek(file.get(), -1, SEEK_SET), -1);
  EXPECT_EQ(errno, EINVAL);
}

TEST_F(FileTest, WriteIsVisibleInMapping) {
  const DeviceFile file(daemon().device());
  const DeviceMap map(file);
  EXPECT_EQ(map[5], 0U);
  const uint32_t pixel = 0x00c0ffee;
  ASSERT_EQ(::pwrite(file.get(), &pixel, sizeof pixel, 5 * sizeof pixel), 4);
  EXPECT_EQ(map[5], pixel);
}

TEST_F(FileTest, StoreInMappingIsVisibleToRead) {
  const DeviceFile file(daemon().device());
  const DeviceMap map(file);
  map[total / 4 - 1] = 0x00abcdef;
  uint32_t pixel = 0;
  ASSERT_EQ(::pread(file.get(), &pixel, sizeof pixel, total - 4), 4);
  EXPECT_EQ(pixel, 0x00abcdefU);
}

TEST_F(FileTest, WriteKeepsStoresInSamePage) {
  const DeviceFile file(daemon().device());
  const DeviceMap map(file);
  for (uint32_t i = 0; i < 512; ++i) {
    map[2 * i] = i + 1;
    const uint32_t pixel = 1000 + i;
    ASSERT_EQ(::pwrite(file.get(), &pixel, sizeof pixel, (2 * i + 1) * 4), 4);
  }
  const Picture screen = daemon().screenshot();
  for (uint32_t i = 0; i < 512; ++i) {
    ASSERT_EQ(screen.pixels[2 * i], i + 1);
    ASSERT_EQ(screen.pixels[2 * i + 1], 1000 + i);
  }
}

TEST_F(FileTest, WriteIsUploadedOnce) {
  const DeviceFile file(daemon().device());
  const uint64_t before = daemon().statistic("changed_bytes");
  ASSERT_EQ(write_at(file, 2560 * 20 + 40, 2560), 2560);
  EXPECT_TRUE(eventually([&] { return daemon().statistic("uploaded_bytes") > 0; }));
  EXPECT_EQ(daemon().statistic("changed_bytes") - before, 2560U)
      << "the exact range of the write, not its pages";
  const Picture screen = daemon().screenshot();
  EXPECT_EQ(screen.at(9, 20), 0U);
  EXPECT_EQ(screen.at(10, 20), 0x5a5a5aU);
  EXPECT_EQ(screen.at(9, 21), 0x5a5a5aU);
  EXPECT_EQ(screen.at(10, 21), 0U);
}

TEST_F(FileTest, FtruncateReturnsEinvalAndKeepsSize) {
  const DeviceFile file(daemon().device());
  for (const off_t size : {off_t{0}, off_t{4096}, total * 2}) {
    EXPECT_EQ(::ftruncate(file.get(), size), -1) << size;
    EXPECT_EQ(errno, EINVAL) << size;
  }
  struct stat status {};
  ASSERT_EQ(::fstat(file.get(), &status), 0);
  EXPECT_EQ(status.st_size, total);
}

TEST_F(FileTest, TruncateByPathKeepsPixels) {
  const DeviceFile file(daemon().device());
  const DeviceMap map(file);
  map[0] = 0x111111;
  map[total / 4 - 1] = 0x222222;
  static_cast<void>(::truncate(daemon().device().c_str(), 0));
  EXPECT_EQ(map[0], 0x111111U);
  EXPECT_EQ(map[total / 4 - 1], 0x222222U);
  struct stat status {};
  ASSERT_EQ(::fstat(file.get(), &status), 0);
  EXPECT_EQ(status.st_size, total);
}

TEST_F(FileTest, OpenIgnoresIrrelevantFlags) {
  for (const int flags : {O_NONBLOCK, O_APPEND, O_SYNC, O_DSYNC, O_TRUNC, O_CREAT, O_NOCTTY}) {
    const base::UniqueFd file(::open(daemon().device().c_str(), O_RDWR | O_CLOEXEC | flags, 0600));
    EXPECT_TRUE(file) << flags << ": " << std::strerror(errno);
  }
}

TEST_F(FileTest, FsyncAndMsyncReturnAfterPresentation) {
  const DeviceFile file(daemon().device());
  const DeviceMap map(file);
  for (uint32_t i = 1; i <= 20; ++i) {
    const uint64_t before = daemon().statistic("presents");
    map[i * 640] = i;
    ASSERT_EQ(i % 2 == 0 ? ::fsync(file.get()) : ::msync(map.address(), map.bytes(), MS_SYNC), 0);
    EXPECT_GT(daemon().statistic("presents"), before);
  }
}

TEST_F(FileTest, AttributesAreThoseOfRegularFile) {
  struct stat status {};
  ASSERT_EQ(::stat(daemon().device().c_str(), &status), 0);
  EXPECT_TRUE(S_ISREG(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777U, 0660U);
  EXPECT_EQ(status.st_size, total);
  EXPECT_EQ(::chmod(daemon().device().c_str(), 0666), 0);
  ASSERT_EQ(::stat(daemon().device().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0666U) << "as a udev rule may set it";
}

TEST_F(FileTest, LastCloseKeepsPictureAndState) {
  {
    const DeviceFile file(daemon().device());
    fb_var_screeninfo var = file.var();
    var.yres_virtual = 960;
    var.yoffset = 10;
    ASSERT_EQ(file.ioctl(FBIOPUT_VSCREENINFO, &var), 0);
    const DeviceMap map(file);
    map[640 * 10] = 0x123456;
  }
  const DeviceFile file(daemon().device());
  EXPECT_EQ(file.var().yres_virtual, 960U);
  EXPECT_EQ(file.var().yoffset, 10U);
  EXPECT_EQ(daemon().screenshot().at(0, 0), 0x123456U);
}

}  // namespace
}  // namespace fuse_test
