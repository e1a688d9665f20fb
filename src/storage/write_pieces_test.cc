#include "storage/write_pieces.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace mutirao::storage {
namespace {

// A file without a name.
class WritePiecesTest : public ::testing::Test {
 protected:
  WritePiecesTest() : file_(std::tmpfile()) {}
  ~WritePiecesTest() override { std::fclose(file_); }

  int fd() const { return fileno(file_); }

  static std::vector<std::span<const std::byte>> Spans(const std::vector<std::string>& pieces) {
    std::vector<std::span<const std::byte>> spans;
    for (const std::string& piece : pieces) spans.push_back(std::as_bytes(std::span(piece)));
    return spans;
  }

  std::string Content() const {
    std::string content(static_cast<size_t>(lseek(fd(), 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(fd(), content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
    return content;
  }

 private:
  std::FILE* const file_;
};

TEST_F(WritePiecesTest, WritesThemBehindEachOther) {
  EXPECT_EQ(WritePieces(fd(), {}, 0), 0);
  EXPECT_EQ(Content(), "");
  EXPECT_EQ(WritePieces(fd(), Spans({"", "one", "", "two", ""}), 2), 0);
  EXPECT_EQ(Content(), std::string("\0\0onetwo", 8));
  EXPECT_EQ(WritePieces(fd(), Spans({"", ""}), 100), 0);
  EXPECT_EQ(Content().size(), 8U);
}

TEST_F(WritePiecesTest, WritesMoreThanACallOfTheSystemTakes) {
  std::vector<std::string> pieces;
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    pieces.push_back(std::string(static_cast<size_t>(i % 7), static_cast<char>('a' + i % 26)));
    all += pieces.back();
  }
  EXPECT_EQ(WritePieces(fd(), Spans(pieces), 0), 0);
  EXPECT_EQ(Content(), all);
}

TEST_F(WritePiecesTest, WritesPiecesOfAnySize) {
  std::vector<std::string> pieces;
  std::string all(5, '\0');
  for (const size_t size : {1, 1 << 20, (1 << 20) - 6, 3, 3 << 20, 0, 7}) {
    pieces.emplace_back(size, static_cast<char>('a' + pieces.size()));
    all += pieces.back();
  }
  EXPECT_EQ(WritePieces(fd(), Spans(pieces), 5), 0);
  EXPECT_TRUE(Content() == all);
}

TEST_F(WritePiecesTest, GivesTheErrorOfTheSystem) {
  const auto pieces = Spans({"one"});
  EXPECT_EQ(WritePieces(-1, pieces, 0), EBADF);
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  EXPECT_EQ(WritePieces(full, pieces, 0), ENOSPC);
  close(full);
}

}  // namespace
}  // namespace mutirao::storage
