#include "formats/dataset/partition_path.h"

#include <fmt/format.h>

#include "base/percent_encoding.h"

namespace mutirao::formats {
namespace {

// Hive's list of characters that do not stand in a path as they are.
bool MustEscape(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F || std::string_view("\"#%'*/:=?\\{[]^").find(c) != std::string_view::npos;
}

std::string Escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (MustEscape(c)) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string PartitionSegment(std::string_view column, std::optional<std::string_view> value) {
  std::string segment = Escape(column) + "=";
  if (!value) return segment.append(kNullPartition);
  if (*value == kNullPartition) return segment + "%5F" + std::string(value->substr(1));
  return segment + Escape(*value);
}

std::vector<PartitionValue> PartitionsOf(std::string_view path) {
  std::vector<PartitionValue> values;
  size_t begin = 0;
  for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', begin)) {
    std::string_view segment = path.substr(begin, slash - begin);
    begin = slash + 1;
    size_t equals = segment.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    std::string_view value = segment.substr(equals + 1);
    PartitionValue found{.column = PercentDecode(segment.substr(0, equals)), .value = std::nullopt};
    if (value != kNullPartition) found.value = PercentDecode(value);
    values.push_back(std::move(found));
  }
  return values;
}

}  // namespace mutirao::formats
