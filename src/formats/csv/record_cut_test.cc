#include "formats/csv/record_cut.h"

#include <cstring>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "formats/csv/record_parser.h"

namespace mutirao::formats::csv {
namespace {

class Bytes : public storage::Object {
 public:
  explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  const std::string& uri() const override { return uri_; }
  Result<int64_t> ReadAt(int64_t offset, std::span<std::byte> out) const override {
    const size_t count = std::min(out.size(), bytes_.size() - static_cast<size_t>(offset));
    std::memcpy(out.data(), bytes_.data() + offset, count);
    return static_cast<int64_t>(count);
  }
  const std::string& text() const { return bytes_; }

 private:
  const std::string bytes_;
  const std::string uri_ = "bytes";
};

// Where records begin, by the definition.
std::set<int64_t> Begins(const Dialect& dialect, const std::string& bytes) {
  std::set<int64_t> begins;
  const RecordParser parser(dialect);
  Record record;
  for (size_t at = 0; at < bytes.size(); at = record.next) {
    begins.insert(static_cast<int64_t>(at));
    parser.Parse(bytes, at, true, &record);
  }
  return begins;
}

std::optional<int64_t> Cut(const Bytes& file, int64_t at, const Dialect& dialect) {
  auto found = RecordBeginBehind(file, at, dialect);
  EXPECT_TRUE(found.ok()) << found.status().ToString();
  return found.ok() ? *found : std::nullopt;
}

TEST(RecordCut, FindsTheNextRecordOfOrdinaryData) {
  Dialect dialect;
  const Bytes file("\"a\",\"b\"\n\"c\",\"d\ne\"\n\"f\",\"g\"\n\"h\",\"i\"\n");
  for (int64_t at = 1; at < file.size(); ++at) {
    const auto found = Cut(file, at, dialect);
    EXPECT_TRUE(!found || Begins(dialect, file.text()).contains(*found)) << at << " gave " << *found;
  }
  EXPECT_EQ(Cut(file, 3, dialect), 8);
}

TEST(RecordCut, SeesThroughQuotesThatLookLikeRecords) {
  Dialect dialect;
  // All of it is one field, which somebody who begins inside takes for records.
  std::string text = "\"";
  for (int i = 0; i < 50; ++i) text += "\"\"a\"\",\"\"b\"\"\n";
  text += "\"\nx,y\nz,w\n";
  const Bytes file(text);
  const auto begins = Begins(dialect, text);
  EXPECT_EQ(begins.size(), 3u);
  for (int64_t at = 1; at < file.size(); ++at) {
    const auto found = Cut(file, at, dialect);
    EXPECT_TRUE(!found || begins.contains(*found)) << at << " gave " << *found;
  }
}

TEST(RecordCut, DoesNotKnowWhereQuotesCouldBeOpen) {
  Dialect dialect;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "one,two,three\n";
  const Bytes file(text);
  EXPECT_EQ(Cut(file, 20, dialect), std::nullopt);
  dialect.max_record_bytes = 1000;  // a record before could be too long, which these bytes would show
  EXPECT_EQ(Cut(file, 20, dialect), std::nullopt);
  dialect.quote = -1;
  EXPECT_EQ(Cut(file, 20, dialect), 28);
}

TEST(RecordCut, GivesNothingWhereNoRecordBeginsAnyMore) {
  EXPECT_EQ(Cut(Bytes("a,b\nc,d"), 5, Dialect()), std::nullopt);
}

TEST(RecordCut, GivesPlacesWhereRecordsBeginInAnyBytes) {
  std::mt19937 random(7);
  using std::literals::operator""s;
  const std::string letters = "ab,\"\"\n\n\r;\\#\0'x"s;
  int found_some = 0;
  for (int round = 0; round < 3000; ++round) {
    Dialect dialect;
    const auto one_in = [&](int n) { return random() % static_cast<unsigned>(n) == 0; };
    if (one_in(4)) dialect.quote = one_in(2) ? -1 : '\'';
    if (one_in(3)) dialect.escape = '\\';
    if (one_in(3)) dialect.comment = one_in(2) ? '#' : 'x';
    if (one_in(4)) dialect.cr_ends = true;
    if (one_in(3)) dialect.nul = NulRule::kKeep;
    if (one_in(3)) dialect.delimiter = one_in(2) ? ';' : 'x';
    if (dialect.delimiter == dialect.comment) dialect.comment = -1;
    dialect.max_record_bytes = one_in(2) ? 12 : 1000;
    std::string text;
    for (size_t i = 0, length = random() % 120; i < length; ++i) text += letters[random() % letters.size()];
    const Bytes file(text);
    const auto begins = Begins(dialect, text);
    for (int64_t at = 1; at < file.size(); ++at) {
      const auto found = Cut(file, at, dialect);
      if (!found) continue;
      ++found_some;
      ASSERT_TRUE(begins.contains(*found)) << "round " << round << " at " << at << " gave " << *found;
      ASSERT_GE(*found, at);
    }
  }
  EXPECT_GT(found_some, 10000);
}

}  // namespace
}  // namespace mutirao::formats::csv
