#include "base/text_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_folder.h"

TEST(TextFile, FirstLineEndsBeforeNewline) {
  const unit::TemporaryFolder folder;
  std::ofstream(folder.file("two")) << "one\ntwo\n";
  EXPECT_EQ(base::first_line(folder.file("two")), "one");
}

TEST(TextFile, FirstLineOfMissingFileIsEmpty) {
  const unit::TemporaryFolder folder;
  EXPECT_EQ(base::first_line(folder.file("missing")), "");
}
