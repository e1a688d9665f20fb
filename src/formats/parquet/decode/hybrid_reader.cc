#include "formats/parquet/decode/hybrid_reader.h"

#include <algorithm>
#include <cstring>

namespace mutirao::formats::parquet_decode {

bool HybridReader::ReadLength(uint32_t* out) {
  uint64_t value = 0;
  for (int shift = 0; shift < 35 && next_ < end_; shift += 7) {
    const uint8_t byte = *next_++;
    value |= uint64_t{byte & 0x7Fu} << shift;
    if ((byte & 0x80) != 0) continue;
    *out = static_cast<uint32_t>(value);
    return value <= UINT32_MAX;
  }
  return false;
}

bool HybridReader::NextRun() {
  uint32_t header = 0;
  if (width_ > 32 || !ReadLength(&header)) return false;
  packed_ = (header & 1) != 0;
  const size_t bytes_left = static_cast<size_t>(end_ - next_);
  if (packed_) {
    groups_ = next_;
    taken_ = 0;
    left_ = size_t{header >> 1} * 8;
    // The last group may be cut where its values end.
    const size_t bytes = size_t{header >> 1} * static_cast<size_t>(width_);
    if (bytes > bytes_left && width_ > 0) left_ = bytes_left * 8 / static_cast<size_t>(width_);
    next_ += std::min(bytes, bytes_left);
  } else {
    const auto bytes = static_cast<size_t>((width_ + 7) / 8);
    if (bytes > bytes_left) return false;
    value_ = 0;
    for (size_t i = 0; i < bytes; ++i) value_ |= uint32_t{next_[i]} << (8 * i);
    next_ += bytes;
    left_ = header >> 1;
  }
  return true;
}

void HybridReader::Unpack(uint32_t* out, size_t count) {
  const uint64_t mask = (uint64_t{1} << width_) - 1;
  size_t bit = taken_ * static_cast<size_t>(width_);
  size_t i = 0;
  // A value lies in the eight bytes from that of its first bit.
  const auto readable = static_cast<size_t>(end_ - groups_);
  for (; i < count && bit / 8 + 8 <= readable; ++i, bit += static_cast<size_t>(width_)) {
    uint64_t word;
    std::memcpy(&word, groups_ + bit / 8, sizeof word);
    out[i] = static_cast<uint32_t>(word >> (bit % 8) & mask);
  }
  for (; i < count; ++i, bit += static_cast<size_t>(width_)) {
    uint64_t word = 0;
    std::memcpy(&word, groups_ + bit / 8, std::min<size_t>(8, readable - std::min(readable, bit / 8)));
    out[i] = static_cast<uint32_t>(word >> (bit % 8) & mask);
  }
  taken_ += count;
}

bool HybridReader::Read(uint32_t* out, size_t count) {
  while (count > 0) {
    if (left_ == 0) {
      if (!NextRun()) return false;
      continue;
    }
    const size_t now = std::min(left_, count);
    if (packed_) {
      Unpack(out, now);
    } else {
      std::fill_n(out, now, value_);
    }
    out += now;
    count -= now;
    left_ -= now;
  }
  return true;
}

bool HybridReader::SkipRunOf(uint32_t value, size_t count) {
  if (count == 0) return true;
  while (left_ == 0) {
    if (!NextRun()) return false;
  }
  if (packed_ || value_ != value || left_ < count) return false;
  left_ -= count;
  return true;
}

}  // namespace mutirao::formats::parquet_decode
