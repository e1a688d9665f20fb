#include "formats/csv/utf16_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace mutirao::formats::csv {
namespace {

constexpr size_t kReadBytes = 256 * 1024;
constexpr char kOddByte = static_cast<char>(0xFE);

void AppendCode(uint32_t code, std::string* out) {
  if (code < 0x80) {
    *out += static_cast<char>(code);
  } else if (code < 0x800) {
    *out += static_cast<char>(0xC0 | code >> 6);
    *out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *out += static_cast<char>(0xE0 | code >> 12);
    *out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *out += static_cast<char>(0xF0 | code >> 18);
    *out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    *out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

void AppendUnit(uint32_t unit, bool big_endian, std::string* out) {
  const char high = static_cast<char>(unit >> 8);
  const char low = static_cast<char>(unit & 0xFF);
  *out += big_endian ? high : low;
  *out += big_endian ? low : high;
}

}  // namespace

Utf16Stream::Utf16Stream(std::unique_ptr<archive::ByteStream> bytes, Encoding encoding, std::string name)
    : bytes_(std::move(bytes)),
      encoding_(encoding),
      name_(std::move(name)),
      big_endian_(encoding == Encoding::kUtf16Be) {}

Status Utf16Stream::Begin() {
  begun_ = true;
  char mark[2] = {};
  const int64_t count = MUTIRAO_TRY(bytes_->Read(std::as_writable_bytes(std::span(mark))));
  const bool little = count == 2 && std::memcmp(mark, "\xFF\xFE", 2) == 0;
  const bool big = count == 2 && std::memcmp(mark, "\xFE\xFF", 2) == 0;
  if (count < 2) ended_ = true;
  if (encoding_ == Encoding::kUtf16) {
    if (!little && !big && count > 0) {
      return Status::Invalid(
                 fmt::format("{}: the text has no byte order mark, so utf-16 does not say its byte order", name_))
          .Help("set encoding: utf-16le or utf-16be");
    }
    big_endian_ = big;
  }
  if ((little && !big_endian_) || (big && big_endian_)) {
    mark_bytes_ = 2;
  } else {
    rest_.assign(mark, static_cast<size_t>(count));
  }
  if (ended_) Convert({}, true);
  return Status::Ok();
}

Result<int64_t> Utf16Stream::Read(std::span<std::byte> out) {
  if (!begun_) MUTIRAO_TRY(Begin());
  size_t done = 0;
  std::string buffer;
  while (done < out.size()) {
    if (text_used_ == text_.size()) {
      if (ended_) break;
      buffer.resize(kReadBytes);
      const int64_t count = MUTIRAO_TRY(bytes_->Read(std::as_writable_bytes(std::span(buffer))));
      ended_ = static_cast<size_t>(count) < buffer.size();
      text_.clear();
      text_used_ = 0;
      Convert(std::string_view(buffer.data(), static_cast<size_t>(count)), ended_);
      continue;
    }
    const size_t step = std::min(out.size() - done, text_.size() - text_used_);
    std::memcpy(out.data() + done, text_.data() + text_used_, step);
    text_used_ += step;
    done += step;
  }
  return static_cast<int64_t>(done);
}

void Utf16Stream::Convert(std::string_view bytes, bool at_end) {
  rest_.append(bytes);
  const auto unit_at = [&](size_t i) -> uint32_t {
    const auto first = static_cast<uint8_t>(rest_[i]);
    const auto second = static_cast<uint8_t>(rest_[i + 1]);
    return big_endian_ ? first << 8 | second : second << 8 | first;
  };
  size_t i = 0;
  while (rest_.size() - i >= 2) {
    const uint32_t unit = unit_at(i);
    if (unit >= 0xD800 && unit < 0xDC00) {
      if (rest_.size() - i < 4 && !at_end) break;
      const uint32_t next = rest_.size() - i >= 4 ? unit_at(i + 2) : 0;
      if (next >= 0xDC00 && next < 0xE000) {
        AppendCode(0x10000 + ((unit - 0xD800) << 10) + (next - 0xDC00), &text_);
        i += 4;
        continue;
      }
    }
    AppendCode(unit, &text_);
    i += 2;
  }
  rest_.erase(0, i);
  if (at_end && rest_.size() == 1) {
    const auto byte = static_cast<uint8_t>(rest_[0]);
    text_ += {kOddByte, static_cast<char>(0x80 | byte >> 4), static_cast<char>(0x80 | (byte & 15))};
    rest_.clear();
  }
}

int64_t Utf16Bytes(std::string_view text) {
  int64_t bytes = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    if (text[i] == kOddByte) {
      bytes += 1;
    } else if (c >= 0xF0) {
      bytes += 4;
    } else if (c < 0x80 || c >= 0xC0) {
      bytes += 2;
    }
  }
  return bytes;
}

std::string Utf16Original(std::string_view text, bool big_endian) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<uint8_t>(text[i]);
    const size_t size = c >= 0xF0 && text[i] != kOddByte ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
    if (i + size > text.size()) break;
    const auto low = [&](size_t k) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i + k]) & 0x3F); };
    if (text[i] == kOddByte) {
      out += static_cast<char>(low(1) << 4 | low(2));
    } else if (size == 4) {
      const uint32_t code = ((c & 7u) << 18 | low(1) << 12 | low(2) << 6 | low(3)) - 0x10000;
      AppendUnit(0xD800 + (code >> 10), big_endian, &out);
      AppendUnit(0xDC00 + (code & 0x3FF), big_endian, &out);
    } else {
      const uint32_t code = size == 3   ? (c & 15u) << 12 | low(1) << 6 | low(2)
                            : size == 2 ? (c & 31u) << 6 | low(1)
                                        : c;
      AppendUnit(code, big_endian, &out);
    }
    i += size;
  }
  return out;
}

}  // namespace mutirao::formats::csv
