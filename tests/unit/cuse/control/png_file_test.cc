#include "cuse/control/png_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <png.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thrown.h"

using cuse::write_png;
using drmclient::Size;
using unit::thrown_by;

namespace {

struct Picture {
  Size size;
  std::vector<uint32_t> pixels;
};

Picture read_png(const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  Picture picture;
  if (png_image_begin_read_from_file(&image, path.c_str()) == 0) return picture;
  EXPECT_EQ(image.format & PNG_FORMAT_FLAG_ALPHA, 0U);
  image.format = PNG_FORMAT_RGB;
  std::vector<uint8_t> rgb(PNG_IMAGE_SIZE(image));
  if (png_image_finish_read(&image, nullptr, rgb.data(), 0, nullptr) == 0) return picture;
  picture.size = {image.width, image.height};
  for (size_t i = 0; i < rgb.size(); i += 3) {
    picture.pixels.push_back(static_cast<uint32_t>(rgb[i] << 16 | rgb[i + 1] << 8 | rgb[i + 2]));
  }
  return picture;
}

Picture some_picture() {
  Picture picture{{13, 7}, {}};
  for (uint32_t i = 0; i < 13 * 7; ++i) picture.pixels.push_back(i * 0x012345 & 0xffffff);
  return picture;
}

}  // namespace

TEST(PngFile, WrittenPictureIsReadBack) {
  const unit::TemporaryFolder folder;
  const Picture picture = some_picture();
  write_png(folder.file("a.png"), picture.size, picture.pixels);
  EXPECT_EQ(read_png(folder.file("a.png")).size, picture.size);
  EXPECT_EQ(read_png(folder.file("a.png")).pixels, picture.pixels);
}

TEST(PngFile, XByteIsNotWritten) {
  const unit::TemporaryFolder folder;
  const std::vector<uint32_t> pixels{0xff123456};
  write_png(folder.file("a.png"), {1, 1}, pixels);
  EXPECT_EQ(read_png(folder.file("a.png")).pixels, std::vector<uint32_t>{0x123456});
}

TEST(PngFile, ExistingFileIsReplaced) {
  const unit::TemporaryFolder folder;
  std::ofstream(folder.file("a.png")) << std::string(100'000, 'x');
  const Picture picture = some_picture();
  write_png(folder.file("a.png"), picture.size, picture.pixels);
  EXPECT_EQ(read_png(folder.file("a.png")).pixels, picture.pixels);
}

TEST(PngFile, NewFileHasPermissionsOfTheUmask) {
  const unit::TemporaryFolder folder;
  const mode_t mask = ::umask(027);
  write_png(folder.file("a.png"), some_picture().size, some_picture().pixels);
  ::umask(mask);
  struct stat status {};
  ASSERT_EQ(::stat(folder.file("a.png").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
}

TEST(PngFile, NoTemporaryFileIsLeft) {
  const unit::TemporaryFolder folder;
  write_png(folder.file("a.png"), some_picture().size, some_picture().pixels);
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++files;
  EXPECT_EQ(files, 1U);
}

TEST(PngFile, FullDiskReturnsEnospcAndThePath) {
  const auto thrown = thrown_by([] { write_png("/dev/full", some_picture().size, some_picture().pixels); });
  EXPECT_EQ(thrown.code, ENOSPC);
  EXPECT_TRUE(thrown.says("/dev/full")) << thrown.what;
}

TEST(PngFile, FailedWriteLeavesNoFileAndKeepsTheOldOne) {
  const unit::TemporaryFolder folder;
  std::ofstream(folder.file("old.png")) << "old";
  unit::ChildProcess process([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{20, 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto write = [&](const char* name) {
      return thrown_by([&] { write_png(folder.file(name), some_picture().size, some_picture().pixels); })
          .code;
    };
    return write("new.png") == EFBIG && write("old.png") == EFBIG ? 0 : 1;
  });
  EXPECT_EQ(process.wait(), 0);
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++files;
  EXPECT_EQ(files, 1U);
  EXPECT_EQ(std::filesystem::file_size(folder.file("old.png")), 3U);
}

TEST(PngFile, MissingFolderReturnsEnoentAndThePath) {
  const unit::TemporaryFolder folder;
  const auto thrown =
      thrown_by([&] { write_png(folder.file("missing/a.png"), some_picture().size, some_picture().pixels); });
  EXPECT_EQ(thrown.code, ENOENT);
  EXPECT_TRUE(thrown.says(folder.file("missing/a.png"))) << thrown.what;
}

TEST(PngFile, FolderAtThePathReturnsEisdir) {
  const unit::TemporaryFolder folder;
  EXPECT_EQ(thrown_by([&] { write_png(folder.path(), some_picture().size, some_picture().pixels); }).code,
            EISDIR);
}

TEST(PngFile, WrongNumberOfPixelsThrowsAndMakesNoFile) {
  const unit::TemporaryFolder folder;
  const std::vector<uint32_t> three(3);
  EXPECT_THROW(write_png(folder.file("a.png"), {0, 0}, {}), std::runtime_error);
  EXPECT_THROW(write_png(folder.file("a.png"), {2, 2}, three), std::runtime_error);
  EXPECT_TRUE(folder.is_empty());
}

TEST(PngFile, DashWritesToTheStandardOutput) {
  const unit::TemporaryFolder folder;
  const Picture picture = some_picture();
  unit::ChildProcess process([&] {
    const int file = ::open(folder.file("out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ::dup2(file, STDOUT_FILENO);
    write_png("-", picture.size, picture.pixels);
    return 0;
  });
  EXPECT_EQ(process.wait(), 0);
  EXPECT_EQ(read_png(folder.file("out")).pixels, picture.pixels);
}

TEST(PngFile, FullStandardOutputReturnsEnospc) {
  unit::ChildProcess process([] {
    ::dup2(::open("/dev/full", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
    return thrown_by([] { write_png("-", some_picture().size, some_picture().pixels); }).code == ENOSPC ? 0
                                                                                                        : 1;
  });
  EXPECT_EQ(process.wait(), 0);
}
