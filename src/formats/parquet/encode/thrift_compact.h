#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mutirao::formats::parquet_encode {

/// Write structs in Thrift's compact protocol, the form of all Parquet metadata.
///
/// A struct is its fields in rising order of id and then End(). The writer itself starts inside the outermost struct.
/// Source: thrift/doc/specs/thrift-compact-protocol.md.
class ThriftWriter {
 public:
  enum class Type : uint8_t {
    kTrue = 1,
    kFalse = 2,
    kByte = 3,
    kI16 = 4,
    kI32 = 5,
    kI64 = 6,
    kBinary = 8,
    kList = 9,
    kStruct = 12
  };

  void Bool(int16_t id, bool value) { Field(id, value ? Type::kTrue : Type::kFalse); }
  void Byte(int16_t id, int8_t value) {
    Field(id, Type::kByte);
    out_.push_back(static_cast<char>(value));
  }
  void I16(int16_t id, int16_t value) { Number(id, Type::kI16, value); }
  void I32(int16_t id, int32_t value) { Number(id, Type::kI32, value); }
  void I64(int16_t id, int64_t value) { Number(id, Type::kI64, value); }
  void Binary(int16_t id, std::string_view value) {
    Field(id, Type::kBinary);
    BinaryElement(value);
  }

  void BeginStruct(int16_t id) {
    Field(id, Type::kStruct);
    BeginStructElement();
  }
  void End() {
    out_.push_back(0);
    last_id_ = outer_ids_.back();
    outer_ids_.pop_back();
  }
  /// A struct without fields, as the members of unions often are.
  void EmptyStruct(int16_t id) {
    BeginStruct(id);
    End();
  }

  /// Followed by exactly `count` elements of that type.
  void BeginList(int16_t id, Type element, size_t count) {
    Field(id, Type::kList);
    auto type = static_cast<uint8_t>(element);
    if (count < 15) {
      out_.push_back(static_cast<char>(count << 4 | type));
    } else {
      out_.push_back(static_cast<char>(0xF0 | type));
      Varint(count);
    }
  }
  void BoolElement(bool value) { out_.push_back(value ? 1 : 2); }
  void NumberElement(int64_t value) { Varint(ZigZag(value)); }
  void BinaryElement(std::string_view value) {
    Varint(value.size());
    out_.append(value);
  }
  /// Ends with End().
  void BeginStructElement() {
    outer_ids_.push_back(last_id_);
    last_id_ = 0;
  }

  /// End the outermost struct and give its bytes; the writer is as new.
  std::string Finish() {
    out_.push_back(0);
    last_id_ = 0;
    std::string bytes = std::move(out_);
    out_.clear();
    return bytes;
  }

 private:
  static uint64_t ZigZag(int64_t value) {
    return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  }

  void Varint(uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
  }

  // The id as a step from the one before, which nearly always fits the type's own byte.
  void Field(int16_t id, Type type) {
    int step = id - last_id_;
    auto code = static_cast<uint8_t>(type);
    if (step > 0 && step <= 15) {
      out_.push_back(static_cast<char>(step << 4 | code));
    } else {
      out_.push_back(static_cast<char>(code));
      Varint(ZigZag(id));
    }
    last_id_ = id;
  }

  void Number(int16_t id, Type type, int64_t value) {
    Field(id, type);
    Varint(ZigZag(value));
  }

  std::string out_;
  std::vector<int16_t> outer_ids_;
  int16_t last_id_ = 0;
};

}  // namespace mutirao::formats::parquet_encode
