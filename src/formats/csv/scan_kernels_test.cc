#include "formats/csv/scan_kernels.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "formats/csv/row_index.h"

namespace mutirao::formats::csv {
namespace {

constexpr size_t kRoom = 4096;

struct Found {
  WindowIndex index;
  std::vector<uint32_t> offsets;
};

Found Find(SimdLevel level, const IndexRequest& request, const std::string& text, size_t size) {
  Found found;
  found.offsets.resize(size + 64);
  found.index = KernelsOf(level).index(request, text.data(), size, 1000, found.offsets.data());
  found.offsets.resize(found.index.entries);
  return found;
}

// Bytes that look like a file for a while and then do not.
std::string RandomText(std::mt19937& random, int wildness) {
  static const std::vector<std::string> tame = {
      "\"a\"",
      "\"\"",
      "\"b;c\"",
      "\"x\"\"y\"",
      "word",
      "\"S\xE3o\"",
      "\"a longer text of more than sixty-four bytes, so that blocks differ\""};
  static const std::vector<std::string> wild = {"\"", "\r", "\r\n", std::string(1, '\0'), "x\"y", "\n\n"};
  std::string text;
  while (text.size() < 600) {
    text +=
        random() % 100 < static_cast<unsigned>(wildness) ? wild[random() % wild.size()] : tame[random() % tame.size()];
    text += random() % 5 == 0 ? (random() % 4 == 0 ? "\r\n" : "\n") : ";";
  }
  return text;
}

TEST(ScanKernels, FindTheSamePlacesAtEveryLevel) {
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = RandomText(random, i % 3 * 2);
    const size_t size = text.size() - random() % 130;
    const IndexRequest request{.delimiter = ';', .quote = '"', .quoting = i % 7 != 0, .nul_breaks = i % 5 != 0};
    const std::string padded = text + std::string(kPadding, '"');
    const Found wanted = Find(SimdLevel::kScalar, request, padded, size);
    for (const SimdLevel level : SupportedSimdLevels()) {
      const Found found = Find(level, request, padded, size);
      ASSERT_EQ(found.offsets, wanted.offsets) << SimdLevelName(level) << ", text " << i;
      ASSERT_EQ(found.index.valid, wanted.index.valid) << SimdLevelName(level) << ", text " << i;
      ASSERT_EQ(found.index.line_ends, wanted.index.line_ends) << SimdLevelName(level) << ", text " << i;
      ASSERT_EQ(found.index.high_bytes, wanted.index.high_bytes) << SimdLevelName(level) << ", text " << i;
    }
  }
}

TEST(ScanKernels, FindWhatStandsInTheBytes) {
  const std::string text = "\"a;b\";c\n\"\"\"\n\";\"d\"\r\n" + std::string(kPadding, ' ');
  const IndexRequest request{.delimiter = ';', .quote = '"', .quoting = true, .nul_breaks = true};
  for (const SimdLevel level : SupportedSimdLevels()) {
    const Found found = Find(level, request, text, text.size() - kPadding);
    EXPECT_EQ(found.offsets, (std::vector<uint32_t>{1005, 1007, 1013, 1018})) << SimdLevelName(level);
    EXPECT_EQ(found.index.line_ends, 2u);
    EXPECT_FALSE(found.index.high_bytes);
  }
}

TEST(ScanKernels, FindAFieldInEveryByte) {
  const std::string text(300, ';');
  const IndexRequest request{.delimiter = ';', .quote = '"', .quoting = true, .nul_breaks = true};
  for (const SimdLevel level : SupportedSimdLevels()) {
    const Found found = Find(level, request, text, 200);
    ASSERT_EQ(found.offsets.size(), 200u) << SimdLevelName(level);
    for (uint32_t i = 0; i < 200; ++i) ASSERT_EQ(found.offsets[i], 1000 + i) << SimdLevelName(level);
  }
}

// One column of one field a row, so that the tests below say only what is in the fields.
class OneColumn {
 public:
  explicit OneColumn(const std::vector<std::string>& fields) : rows_(1) {
    for (const std::string& field : fields) text_ += field + "\n";
    text_.append(kPadding, '"');
    rows_.Reset(text_.data());
    size_t begin = 0;
    for (const std::string& field : fields) {
      rows_.AddRow(begin, {static_cast<uint32_t>(begin + field.size())});
      selection_.push_back(static_cast<uint32_t>(selection_.size()));
      begin += field.size() + 1;
    }
    out_.resize(kRoom);
    ends_.resize(fields.size());
    valid_.resize(fields.size());
  }

  CopyJob Job() {
    return {.data = rows_.data(),
            .starts = rows_.starts(),
            .ends = rows_.ends(),
            .width = 1,
            .column = 0,
            .rows = selection_.data(),
            .first_row = 0,
            .count = selection_.size(),
            .quoting = true,
            .quote = '"',
            .ascii = true,
            .empty_is_null = true,
            .out = out_.data(),
            .capacity = out_.size(),
            .text_ends = ends_.data(),
            .valid = valid_.data()};
  }

  std::string text(size_t size) const { return out_.substr(0, size); }
  const std::vector<int32_t>& ends() const { return ends_; }
  const std::vector<uint8_t>& valid() const { return valid_; }

 private:
  RowIndex rows_;
  std::string text_;
  std::vector<uint32_t> selection_;
  std::string out_;
  std::vector<int32_t> ends_;
  std::vector<uint8_t> valid_;
};

TEST(ScanKernels, CopyFieldsWithoutTheirQuotes) {
  for (const SimdLevel level : SupportedSimdLevels()) {
    OneColumn column({"\"ab\"", "", "\"\"", "c", "\"" + std::string(70, 'x') + "\"", "d\r"});
    size_t size = 0;
    EXPECT_EQ(KernelsOf(level).copy(column.Job(), 0, &size), 6u) << SimdLevelName(level);
    EXPECT_EQ(column.text(size), "abc" + std::string(70, 'x') + "d");
    EXPECT_EQ(column.ends(), (std::vector<int32_t>{2, 2, 2, 3, 73, 74}));
    EXPECT_EQ(column.valid(), (std::vector<uint8_t>{1, 0, 0, 1, 1, 1}));
  }
}

TEST(ScanKernels, CopyRowsThatFollowEachOther) {
  for (const SimdLevel level : SupportedSimdLevels()) {
    OneColumn column({"\"ab\"", "\"cde\"", "\"\"", "f", "\"ghi\""});
    CopyJob job = column.Job();
    job.rows = nullptr;
    job.first_row = 1;
    job.count = 4;
    job.valid = nullptr;
    size_t size = 0;
    EXPECT_EQ(KernelsOf(level).copy(job, 0, &size), 4u) << SimdLevelName(level);
    EXPECT_EQ(column.text(size), "cdefghi");
    EXPECT_EQ(column.ends(), (std::vector<int32_t>{3, 3, 4, 7, 0}));
    size = 1;  // from a place within them, behind what is there
    EXPECT_EQ(KernelsOf(level).copy(job, 3, &size), 4u) << SimdLevelName(level);
    EXPECT_EQ(column.text(size), "cghi");
  }
}

TEST(ScanKernels, StopAtBytesThatDoNotStandForThemselves) {
  for (const std::string odd : {"\"a\"\"b\"", "a\"", "S\xE3o", "0123456789012345678901234567890123456789\xE3"}) {
    for (const SimdLevel level : SupportedSimdLevels()) {
      OneColumn column({"before", odd, "behind"});
      size_t size = 0;
      EXPECT_EQ(KernelsOf(level).copy(column.Job(), 0, &size), 1u) << SimdLevelName(level) << " " << odd;
      EXPECT_EQ(KernelsOf(level).copy(column.Job(), 2, &size), 3u) << SimdLevelName(level) << " " << odd;
      EXPECT_EQ(column.text(size), "beforebehind");
    }
  }
}

// Around the sizes of vectors: whole texts are copied, one odd byte anywhere stops, also in place of a quote.
TEST(ScanKernels, CopyOrStopAtEveryLengthAndPlace) {
  for (const SimdLevel level : SupportedSimdLevels()) {
    for (size_t length = 0; length <= 70; ++length) {
      const std::string text(length, 'x');
      for (const std::string& field : {"\"" + text + "\"", text}) {
        OneColumn whole({field, "\"behind\""});
        size_t size = 0;
        ASSERT_EQ(KernelsOf(level).copy(whole.Job(), 0, &size), 2u) << SimdLevelName(level) << " " << field;
        ASSERT_EQ(whole.text(size), text + "behind");
        ASSERT_EQ(whole.ends()[0], static_cast<int32_t>(length));
        ASSERT_EQ(whole.valid()[0], length > 0);
        for (size_t place = 0; place < field.size(); ++place) {
          for (const char odd : {'\xE3', '\0', '"'}) {
            if (field[place] == odd) continue;
            std::string broken = field;
            broken[place] = odd;
            if (broken == "\"\"") continue;  // two quotes are an empty text
            if (broken.size() > 1 && broken.front() == '"' && broken.back() == '"' && place + 1 == broken.size())
              continue;
            OneColumn column({broken, "behind"});
            size_t none = 0;
            ASSERT_EQ(KernelsOf(level).copy(column.Job(), 0, &none), 0u) << SimdLevelName(level) << " " << broken;
          }
        }
      }
    }
  }
}

TEST(ScanKernels, TellNulFromOtherBytes) {
  for (const SimdLevel level : SupportedSimdLevels()) {
    OneColumn column({"\t\x01", std::string("a\0b", 3)});
    size_t size = 0;
    EXPECT_EQ(KernelsOf(level).copy(column.Job(), 0, &size), 1u) << SimdLevelName(level);
    OneColumn wide({"S\xC3\xA3o", std::string("a\0b", 3)});
    CopyJob job = wide.Job();
    job.ascii = false;
    size = 0;
    EXPECT_EQ(KernelsOf(level).copy(job, 0, &size), 1u) << SimdLevelName(level);
    EXPECT_EQ(wide.text(size), "S\xC3\xA3o");
  }
}

TEST(ScanKernels, StopWhereThereIsNoRoom) {
  for (const SimdLevel level : SupportedSimdLevels()) {
    OneColumn column({std::string(100, 'a'), std::string(100, 'b')});
    CopyJob job = column.Job();
    job.capacity = 200;
    size_t size = 0;
    EXPECT_EQ(KernelsOf(level).copy(job, 0, &size), 1u) << SimdLevelName(level);
    EXPECT_EQ(size, 100u);
  }
}

}  // namespace
}  // namespace mutirao::formats::csv
