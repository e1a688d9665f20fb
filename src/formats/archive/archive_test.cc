#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/archive/container.h"
#include "formats/archive/zip_directory.h"

namespace mutirao::formats::archive {
namespace {

using ::testing::HasSubstr;

class MemoryObject : public storage::Object {
 public:
  explicit MemoryObject(std::string bytes) : bytes_(std::move(bytes)) {}
  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  const std::string& uri() const override { return uri_; }
  Result<int64_t> ReadAt(int64_t offset, std::span<std::byte> out) const override {
    if (offset >= size()) return int64_t{0};
    const int64_t count = std::min<int64_t>(static_cast<int64_t>(out.size()), size() - offset);
    std::memcpy(out.data(), bytes_.data() + offset, static_cast<size_t>(count));
    return count;
  }

 private:
  std::string bytes_;
  std::string uri_ = "memory";
};

std::string Number(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(i < 8 ? value >> (8 * i) : 0);
  return text;
}

uint32_t Crc(const std::string& text) {
  return crc32_gzip_refl(0, reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())), text.size());
}

std::string Deflate(const std::string& text, bool gzip) {
  std::string out(text.size() + 1000, '\0');
  isal_zstream stream;
  isal_deflate_stateless_init(&stream);
  stream.gzip_flag = gzip ? IGZIP_GZIP : IGZIP_DEFLATE;
  stream.end_of_stream = 1;
  stream.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uint32_t>(text.size());
  stream.next_out = reinterpret_cast<uint8_t*>(out.data());
  stream.avail_out = static_cast<uint32_t>(out.size());
  EXPECT_EQ(isal_deflate_stateless(&stream), COMP_OK);
  out.resize(stream.total_out);
  return out;
}

struct Member {
  std::string name;
  std::string text;
  bool deflate = true;
  uint16_t flags = 0;
  bool zip64 = false;
  std::optional<uint32_t> claimed_size;
  std::optional<uint32_t> claimed_crc;
};

std::string MakeZip(const std::vector<Member>& members, bool zip64_end = false) {
  std::string file;
  std::string directory;
  for (const Member& member : members) {
    const std::string stored = member.deflate ? Deflate(member.text, false) : member.text;
    const uint32_t crc = member.claimed_crc.value_or(Crc(member.text));
    const uint64_t size = member.claimed_size.value_or(static_cast<uint32_t>(member.text.size()));
    const std::string method = Number(member.deflate ? 8 : 0, 2);
    const std::string extra = member.zip64 ? Number(1, 2) + Number(24, 2) + Number(size, 8) + Number(stored.size(), 8) +
                                                 Number(file.size(), 8)
                                           : "";
    const auto wide = [&](uint64_t value) { return Number(member.zip64 ? 0xFFFFFFFF : value, 4); };
    directory += "PK\1\2" + Number(45, 2) + Number(45, 2) + Number(member.flags, 2) + method + Number(0, 4) +
                 Number(crc, 4) + wide(stored.size()) + wide(size) + Number(member.name.size(), 2) +
                 Number(extra.size(), 2) + Number(0, 10) + wide(file.size()) + member.name + extra;
    // As streaming writers do: the sizes stand behind the data.
    file += "PK\3\4" + Number(45, 2) + Number(member.flags | 8, 2) + method + Number(0, 4) + Number(0, 12) +
            Number(member.name.size(), 2) + Number(0, 2) + member.name + stored;
    file += "PK\7\x8" + Number(crc, 4) + Number(stored.size(), 4) + Number(size, 4);
  }
  const uint64_t offset = file.size();
  file += directory;
  if (zip64_end) {
    const uint64_t record = file.size();
    file += "PK\6\6" + Number(44, 8) + Number(45, 2) + Number(45, 2) + Number(0, 8) + Number(members.size(), 8) +
            Number(members.size(), 8) + Number(directory.size(), 8) + Number(offset, 8);
    file += "PK\6\7" + Number(0, 4) + Number(record, 8) + Number(1, 4);
    return file + "PK\5\6" + Number(0, 4) + Number(0xFFFF, 2) + Number(0xFFFF, 2) + Number(0xFFFFFFFF, 4) +
           Number(0xFFFFFFFF, 4) + Number(0, 2);
  }
  return file + "PK\5\6" + Number(0, 4) + Number(members.size(), 2) + Number(members.size(), 2) +
         Number(directory.size(), 4) + Number(offset, 4) + Number(0, 2);
}

Result<std::string> ReadAll(ByteStream& stream, size_t step = 777) {
  std::string text;
  std::string buffer(step, '\0');
  for (;;) {
    const int64_t count = MUTIRAO_TRY(stream.Read(std::as_writable_bytes(std::span(buffer))));
    text.append(buffer, 0, static_cast<size_t>(count));
    if (static_cast<size_t>(count) < step) return text;
  }
}

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
    std::vector<Member> members = {
        {"a.csv", Long()}, {"folder/", "", false}, {"", "x"}, {"b.csv", "stored", false}, {"../../etc/c", ""}};
    for (Member& member : members) member.zip64 = wide;
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
