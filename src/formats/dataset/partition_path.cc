#include "formats/dataset/partition_path.h"

#include <fmt/format.h>

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

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      out += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
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
    PartitionValue found{.column = Unescape(segment.substr(0, equals)), .value = std::nullopt};
    if (value != kNullPartition) found.value = Unescape(value);
    values.push_back(std::move(found));
  }
  return values;
}

}  // namespace mutirao::formats
