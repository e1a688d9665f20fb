#include <zstd.h>

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/archive/archive_test_support.h"
#include "formats/archive/container.h"
#include "formats/archive/zip_directory.h"

namespace mutirao::formats::archive {
namespace {

using ::testing::HasSubstr;

Result<std::vector<std::string>> ReadZip(const std::string& bytes) {
  const auto object = std::make_shared<MemoryObject>(bytes);
  const auto members = MUTIRAO_TRY(ListZip(*object));
  std::vector<std::string> texts;
  for (const ZipMember& member : members) {
    const auto stream = MUTIRAO_TRY(OpenZipMember(object, member));
    std::string text = MUTIRAO_TRY(ReadAll(*stream));
    texts.push_back(std::move(text));
  }
  return texts;
}

std::string Long() {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += std::to_string(i * 7919 % 10007) + ";";
  return text;
}

TEST(Zip, GivesTheBytesOfEveryMember) {
  for (const bool wide : {false, true}) {
    std::vector<TestMember> members = {
        {"a.csv", Long()}, {"folder/", "", false}, {"", "x"}, {"b.csv", "stored", false}, {"../../etc/c", ""}};
    for (TestMember& member : members) member.zip64 = wide;
    EXPECT_THAT(MUTIRAO_MUST(ReadZip(MakeZip(members, wide))), ::testing::ElementsAre(Long(), "stored", ""));
    EXPECT_THAT(MUTIRAO_MUST(ReadZip("bytes in front" + MakeZip(members, wide))),
                ::testing::ElementsAre(Long(), "stored", ""));
  }
}

TEST(Zip, FindsEveryCut) {
  const std::string whole = MakeZip({{"a.csv", Long()}, {"b.csv", "stored", false}});
  for (size_t size = 0; size < whole.size(); size += size + 300 < whole.size() ? 997 : 1) {
    const auto texts = ReadZip(whole.substr(0, size));
    EXPECT_EQ(texts.status().code(), StatusCode::kInvalid) << size;
  }
}

TEST(Zip, FindsFlippedBytes) {
  const std::string whole = MakeZip({{"a.csv", Long()}});
  const std::vector<std::string> right = {Long()};
  for (size_t place = 0; place < whole.size(); place += 101) {
    std::string bytes = whole;
    bytes[place] = static_cast<char>(bytes[place] ^ 0x55);
    const auto texts = ReadZip(bytes);
    EXPECT_TRUE(!texts.ok() || *texts == right) << place;
  }
}

TEST(Zip, RefusesWhatItCannotTrust) {
  const auto message = [](const std::string& bytes) { return ReadZip(bytes).status().ToString(); };
  EXPECT_THAT(message(MakeZip({})), HasSubstr("holds no file"));
  EXPECT_THAT(message(MakeZip({{"folder/", "", false}})), HasSubstr("holds no file"));
  EXPECT_THAT(message(MakeZip({{.name = "a", .text = Long(), .flags = 1}})), HasSubstr("encrypted"));
  EXPECT_THAT(message(MakeZip({{.name = "a", .text = Long(), .claimed_crc = 1}})), HasSubstr("checksum (crc)"));
  EXPECT_THAT(message(MakeZip({{.name = "a", .text = Long(), .claimed_size = 5}})), HasSubstr("more than the 5 bytes"));
  EXPECT_THAT(message(MakeZip({{.name = "a", .text = Long(), .claimed_size = 300000}})), HasSubstr("it ends after"));
  EXPECT_THAT(message(MakeZip({{.name = "a", .text = "short", .claimed_size = 0x7FFFFFFF}})),
              HasSubstr("invalid size"));
  EXPECT_THAT(message("PK\3\4 and then nothing"), HasSubstr("cut"));
}

TEST(Zip, RefusesMembersThatShareBytes) {
  std::string bytes = MakeZip({{"a", Long()}, {"b", "x", false}});
  const size_t second = bytes.rfind("PK\1\2");
  bytes.replace(second + 42, 4, Number(0, 4));
  EXPECT_THAT(ReadZip(bytes).status().ToString(), HasSubstr("overlaps"));
}

TEST(Zip, RefusesSizesAndPlacesBeyondTheFile) {
  const std::string whole = MakeZip({{.name = "a", .text = Long(), .zip64 = true}});
  const size_t fields = whole.rfind("PK\1\2") + 46 + 1 + 4;
  for (size_t field = 0; field < 3; ++field) {
    for (const uint64_t value : {uint64_t{INT64_MAX}, uint64_t{1} << 63, ~uint64_t{0}, uint64_t{1} << 40}) {
      std::string bytes = whole;
      bytes.replace(fields + 8 * field, 8, Number(value, 8));
      EXPECT_EQ(ReadZip(bytes).status().code(), StatusCode::kInvalid) << field << ": " << value;
      EXPECT_EQ(ReadZip("in front" + bytes).status().code(), StatusCode::kInvalid) << field << ": " << value;
    }
  }
}

Result<std::string> ReadContainer(const std::string& bytes, Container expected) {
  const auto object = std::make_shared<MemoryObject>(bytes);
  EXPECT_EQ(MUTIRAO_MUST(DetectContainer(*object)), expected);
  return ReadAll(*OpenContainer(object, expected));
}

TEST(Gzip, ReadsMembersOneAfterTheOther) {
  const std::string two = Deflate(Long(), true) + Deflate("more", true);
  EXPECT_EQ(MUTIRAO_MUST(ReadContainer(two, Container::kGzip)), Long() + "more");
  EXPECT_EQ(MUTIRAO_MUST(ReadContainer(two + std::string(100, '\0'), Container::kGzip)), Long() + "more");
  EXPECT_EQ(ReadContainer(two + "rubbish", Container::kGzip).status().code(), StatusCode::kInvalid);
}

TEST(Gzip, FindsEveryCutAndFlippedChecksums) {
  const std::string whole = Deflate(Long(), true);
  for (size_t size = 4; size < whole.size(); size += size + 40 < whole.size() ? 997 : 1) {
    EXPECT_EQ(ReadContainer(whole.substr(0, size), Container::kGzip).status().code(), StatusCode::kInvalid) << size;
  }
  for (size_t back = 1; back <= 8; ++back) {
    std::string bytes = whole;
    bytes[bytes.size() - back] = static_cast<char>(bytes[bytes.size() - back] ^ 1);
    EXPECT_EQ(ReadContainer(bytes, Container::kGzip).status().code(), StatusCode::kInvalid) << back;
  }
}

TEST(Gzip, SaysWhereFlippedBytesAre) {
  std::string text;
  for (int i = 0; i < 256; ++i) text += static_cast<char>(i);
  const std::string whole = Deflate(text + text + Long().substr(0, 600), true);
  for (size_t place = 10; place < whole.size(); ++place) {
    for (const int flip : {1, 0xFF}) {
      std::string bytes = whole;
      bytes[place] = static_cast<char>(bytes[place] ^ flip);
      const auto read = ReadContainer(bytes, Container::kGzip);
      if (read.ok()) continue;
      EXPECT_THAT(read.status().ToString(), HasSubstr("near stored byte")) << place;
      EXPECT_THAT(read.status().ToString(), ::testing::Not(HasSubstr("byte -"))) << place;
    }
  }
}

TEST(Zstd, ReadsFramesAndFindsEveryCut) {
  std::string whole(ZSTD_compressBound(Long().size()), '\0');
  const std::string text = Long();
  whole.resize(ZSTD_compress(whole.data(), whole.size(), text.data(), text.size(), 1));
  EXPECT_EQ(MUTIRAO_MUST(ReadContainer(whole + whole, Container::kZstd)), text + text);
  for (size_t size = 4; size < whole.size(); size += 997) {
    EXPECT_EQ(ReadContainer(whole.substr(0, size), Container::kZstd).status().code(), StatusCode::kInvalid) << size;
  }
}

TEST(Container, IsPlainWhenNothingElse) {
  EXPECT_EQ(MUTIRAO_MUST(ReadContainer("a,b\n", Container::kPlain)), "a,b\n");
  EXPECT_EQ(MUTIRAO_MUST(ReadContainer("", Container::kPlain)), "");
  EXPECT_EQ(MUTIRAO_MUST(ReadContainer("PK", Container::kPlain)), "PK");
}

}  // namespace
}  // namespace mutirao::formats::archive
