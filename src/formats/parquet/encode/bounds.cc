#include "formats/parquet/encode/bounds.h"

#include <cstdint>
#include <cstring>

#include "base/utf8.h"

namespace mutirao::formats::parquet_encode {
namespace {

template <typename T>
int CompareAs(std::string_view a, std::string_view b) {
  T x, y;
  std::memcpy(&x, a.data(), sizeof x);
  std::memcpy(&y, b.data(), sizeof y);
  return x < y ? -1 : x > y ? 1 : 0;
}

// Two's complement, highest byte first, of the same length: only the sign bit is out of the bytes' order.
int CompareBigEndian(std::string_view a, std::string_view b) {
  auto first = [](std::string_view value) { return static_cast<uint8_t>(value[0]) ^ 0x80; };
  return first(a) != first(b) ? first(a) - first(b) : a.compare(b);
}

// The last place at or before `limit` where a character begins; `limit` itself for bytes that are not UTF-8.
size_t CutPlace(std::string_view text, size_t limit) {
  size_t place = limit;
  for (int steps = 0; steps < 4 && place > 0; ++steps, --place) {
    if (!IsContinuationByte(text[place])) return place;
  }
  return limit;
}

// One character as a number, or -1 for what is not UTF-8.
int32_t Decode(std::string_view character) {
  if (character.empty()) return -1;
  auto head = static_cast<uint8_t>(character[0]);
  if (head < 0x80) return character.size() == 1 ? head : -1;
  size_t length = head >= 0xF0 ? 4 : head >= 0xE0 ? 3 : 2;
  if (head < 0xC2 || head > 0xF4 || character.size() != length) return -1;
  int32_t code = head & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) code = code << 6 | (character[i] & 0x3F);
  return code;
}

void Encode(int32_t code, std::string& out) {
  auto push = [&out](int32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return push(code);
  if (code < 0x800) {
    push(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    push(0xE0 | code >> 12);
    push(0x80 | (code >> 6 & 0x3F));
  } else {
    push(0xF0 | code >> 18);
    push(0x80 | (code >> 12 & 0x3F));
    push(0x80 | (code >> 6 & 0x3F));
  }
  push(0x80 | (code & 0x3F));
}

// Raises the last character of `text` that can be raised within `limit` bytes and drops what follows it.
bool RaiseText(std::string& text, size_t limit) {
  while (!text.empty()) {
    size_t begin = text.size() - 1;
    while (begin > 0 && IsContinuationByte(text[begin])) --begin;
    int32_t code = Decode(std::string_view(text).substr(begin));
    text.resize(begin);
    if (code < 0) return false;
    if (code == 0x10FFFF) continue;
    std::string raised = text;
    Encode(code == 0xD7FF ? 0xE000 : code + 1, raised);
    if (raised.size() > limit) continue;
    text = std::move(raised);
    return true;
  }
  return false;
}

bool RaiseBytes(std::string& bytes) {
  while (!bytes.empty() && static_cast<uint8_t>(bytes.back()) == 0xFF) bytes.pop_back();
  if (bytes.empty()) return false;
  bytes.back() = static_cast<char>(static_cast<uint8_t>(bytes.back()) + 1);
  return true;
}

}  // namespace

int CompareValues(const Leaf& leaf, std::string_view a, std::string_view b) {
  switch (leaf.physical) {
    case Physical::kBool:
      return CompareAs<uint8_t>(a, b);
    case Physical::kInt32:
      return CompareAs<int32_t>(a, b);
    case Physical::kInt64:
      return CompareAs<int64_t>(a, b);
    case Physical::kDouble:
      return CompareAs<double>(a, b);
    case Physical::kFixed:
      return CompareBigEndian(a, b);
    case Physical::kBytes:
      break;
  }
  return a.compare(b);
}

void Widen(const Leaf& leaf, const Bounds& more, Bounds& all) {
  if (!more.known) return;
  if (!all.known) {
    all = more;
    return;
  }
  if (CompareValues(leaf, more.min, all.min) < 0) all.min = more.min;
  if (CompareValues(leaf, more.max, all.max) > 0) all.max = more.max;
}

CutBound CutLower(const Leaf& leaf, const std::string& bound, size_t limit) {
  if (leaf.physical != Physical::kBytes || bound.size() <= limit) return {bound, true};
  return {bound.substr(0, leaf.is_text ? CutPlace(bound, limit) : limit), false};
}

CutBound CutUpper(const Leaf& leaf, const std::string& bound, size_t limit) {
  if (leaf.physical != Physical::kBytes || bound.size() <= limit) return {bound, true};
  std::string cut = bound.substr(0, leaf.is_text ? CutPlace(bound, limit) : limit);
  bool raised = leaf.is_text ? RaiseText(cut, limit) : RaiseBytes(cut);
  if (raised) return {std::move(cut), false};
  return {bound, true};
}

}  // namespace mutirao::formats::parquet_encode
