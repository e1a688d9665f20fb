#include "formats/csv/field_reader.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "formats/csv/structural_index.h"

namespace mutirao::formats::csv {
namespace {

// Append has a way of its own for odd bytes; Read goes by the exact rules.
TEST(FieldReader, AppendsWhatItReads) {
  std::mt19937 random(5);
  const std::string bytes = std::string("aZ 9\"\"\xE9\xFF\x80\xC3\\", 12) + '\0';
  for (const Encoding encoding : {Encoding::kLatin1, Encoding::kWindows1252, Encoding::kUtf8}) {
    for (const int escape : {-1, static_cast<int>('\\')}) {
      Dialect dialect;
      dialect.encoding = encoding;
      dialect.escape = escape;
      dialect.nulls = {"", "a"};
      const FieldReader reader(dialect);
      for (int turn = 0; turn < 20000; ++turn) {
        std::string field;
        for (size_t length = random() % 40; field.size() < length;) {
          field += random() % 8 == 0 ? bytes[random() % bytes.size()] : 'x';
        }
        if (random() % 2 == 0) field = "\"" + field + "\"";
        const std::string padded = field + std::string(kPadding, '"');
        const std::string_view view = std::string_view(padded).substr(0, field.size());
        std::string scratch;
        std::string_view text;
        const bool present = reader.Read(view, &scratch, &text);
        std::string out(padded.size() * 3 + 64, '\0');
        size_t size = 3;
        std::string other;
        ASSERT_EQ(reader.Append(view, out.data(), &size, &other), present) << field;
        if (present) {
          ASSERT_EQ(out.substr(3, size - 3), text) << field;
        } else {
          ASSERT_EQ(size, 3u) << field;
        }
      }
    }
  }
}

}  // namespace
}  // namespace mutirao::formats::csv
