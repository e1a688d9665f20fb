#include "formats/parquet/encode/leaf.h"

#include <arrow/api.h>
#include <fmt/format.h>

namespace mutirao::formats::parquet_encode {
namespace {

using ThriftType = ThriftWriter::Type;
using TypeId = arrow::Type;

// The numbers of parquet.thrift.
enum Repetition : int32_t { kRequired = 0, kOptional = 1, kRepeated = 2 };
enum Converted : int32_t {
  kUtf8 = 0,
  kList = 3,
  kDecimal = 5,
  kDate = 6,
  kTimestampMicros = 10,
  kInt8 = 15,
  kInt16 = 16
};
enum LogicalId : int16_t {
  kLogicalString = 1,
  kLogicalList = 3,
  kLogicalDecimal = 5,
  kLogicalDate = 6,
  kLogicalTimestamp = 8,
  kLogicalInteger = 10
};
constexpr int16_t kConvertedField = 6;
constexpr int16_t kLogicalField = 10;

const arrow::DecimalType& AsDecimal(const arrow::DataType& type) {
  return static_cast<const arrow::DecimalType&>(type);
}

Status SetPhysical(Leaf& leaf) {
  switch (leaf.type->id()) {
    case TypeId::BOOL:
      leaf.physical = Physical::kBool;
      return Status::Ok();
    case TypeId::INT8:
    case TypeId::INT16:
    case TypeId::INT32:
    case TypeId::DATE32:
      leaf.physical = Physical::kInt32;
      return Status::Ok();
    case TypeId::INT64:
    case TypeId::TIMESTAMP:
      leaf.physical = Physical::kInt64;
      return Status::Ok();
    case TypeId::DOUBLE:
      leaf.physical = Physical::kDouble;
      return Status::Ok();
    case TypeId::STRING:
    case TypeId::BINARY:
      leaf.physical = Physical::kBytes;
      leaf.is_text = leaf.type->id() == TypeId::STRING;
      return Status::Ok();
    case TypeId::DECIMAL128: {
      int precision = AsDecimal(*leaf.type).precision();
      leaf.physical = precision <= 9 ? Physical::kInt32 : precision <= 18 ? Physical::kInt64 : Physical::kFixed;
      if (leaf.physical == Physical::kFixed) leaf.fixed_bytes = arrow::DecimalType::DecimalSize(precision);
      return Status::Ok();
    }
    default:
      return Status::Unsupported("parquet files cannot hold " + TypeName(*leaf.type));
  }
}

void WriteTimestamp(const arrow::TimestampType& type, ThriftWriter& out) {
  bool zoned = !type.timezone().empty();
  if (zoned) out.I32(kConvertedField, kTimestampMicros);
  out.BeginStruct(kLogicalField);
  out.BeginStruct(kLogicalTimestamp);
  out.Bool(1, zoned);
  out.BeginStruct(2);
  out.EmptyStruct(2);  // MICROS
  out.End();
  out.End();
  out.End();
}

void WriteDecimal(const arrow::DecimalType& type, ThriftWriter& out) {
  out.I32(kConvertedField, kDecimal);
  out.I32(7, type.scale());
  out.I32(8, type.precision());
  out.BeginStruct(kLogicalField);
  out.BeginStruct(kLogicalDecimal);
  out.I32(1, type.scale());
  out.I32(2, type.precision());
  out.End();
  out.End();
}

void WriteSmallInteger(int bits, Converted converted, ThriftWriter& out) {
  out.I32(kConvertedField, converted);
  out.BeginStruct(kLogicalField);
  out.BeginStruct(kLogicalInteger);
  out.Byte(1, static_cast<int8_t>(bits));
  out.Bool(2, true);
  out.End();
  out.End();
}

void WritePlainAnnotation(Converted converted, LogicalId logical, ThriftWriter& out) {
  out.I32(kConvertedField, converted);
  out.BeginStruct(kLogicalField);
  out.EmptyStruct(logical);
  out.End();
}

void WriteAnnotation(const arrow::DataType& type, ThriftWriter& out) {
  switch (type.id()) {
    case TypeId::STRING:
      return WritePlainAnnotation(kUtf8, kLogicalString, out);
    case TypeId::DATE32:
      return WritePlainAnnotation(kDate, kLogicalDate, out);
    case TypeId::INT8:
      return WriteSmallInteger(8, kInt8, out);
    case TypeId::INT16:
      return WriteSmallInteger(16, kInt16, out);
    case TypeId::TIMESTAMP:
      return WriteTimestamp(static_cast<const arrow::TimestampType&>(type), out);
    case TypeId::DECIMAL128:
      return WriteDecimal(AsDecimal(type), out);
    default:
      return;
  }
}

int CountElements(const arrow::DataType& type) {
  return type.id() == TypeId::LIST ? 2 + CountElements(*type.field(0)->type()) : 1;
}

void WriteNode(const arrow::Field& field, const std::string& name, ThriftWriter& out) {
  const arrow::DataType& type = *field.type();
  int32_t repetition = field.nullable() ? kOptional : kRequired;
  out.BeginStructElement();
  if (type.id() == TypeId::LIST) {
    out.I32(3, repetition);
    out.Binary(4, name);
    out.I32(5, 1);
    WritePlainAnnotation(kList, kLogicalList, out);
    out.End();
    out.BeginStructElement();
    out.I32(3, kRepeated);
    out.Binary(4, "list");
    out.I32(5, 1);
    out.End();
    return WriteNode(*type.field(0), "element", out);
  }
  Leaf leaf;
  leaf.type = field.type();
  MUTIRAO_CHECK(SetPhysical(leaf).ok());  // LeavesOf refused other types
  out.I32(1, static_cast<int32_t>(leaf.physical));
  if (leaf.physical == Physical::kFixed) out.I32(2, leaf.fixed_bytes);
  out.I32(3, repetition);
  out.Binary(4, name);
  WriteAnnotation(type, out);
  out.End();
}

}  // namespace

Result<std::vector<Leaf>> LeavesOf(const arrow::Schema& schema) {
  std::vector<Leaf> leaves;
  for (int i = 0; i < schema.num_fields(); ++i) {
    const auto* field = schema.field(i).get();
    if (!IsPlanType(*field->type())) {
      return Status::Unsupported(fmt::format("column {} has type {}, which is not written to parquet", field->name(),
                                             TypeName(*field->type())));
    }
    Leaf leaf;
    leaf.field = i;
    leaf.path.push_back(field->name());
    for (;; field = field->type()->field(0).get()) {
      leaf.nullable.push_back(field->nullable());
      leaf.max_definition += field->nullable() ? 1 : 0;
      if (field->type()->id() != TypeId::LIST) break;
      leaf.max_definition += 1;
      leaf.max_repetition += 1;
      leaf.path.insert(leaf.path.end(), {"list", "element"});
    }
    leaf.type = field->type();
    MUTIRAO_TRY(SetPhysical(leaf));
    leaves.push_back(std::move(leaf));
  }
  return leaves;
}

void WriteSchema(const arrow::Schema& schema, int16_t id, ThriftWriter& out) {
  size_t elements = 1;
  for (const auto& field : schema.fields()) elements += static_cast<size_t>(CountElements(*field->type()));
  out.BeginList(id, ThriftType::kStruct, elements);
  out.BeginStructElement();
  out.I32(3, kRequired);
  out.Binary(4, "schema");
  out.I32(5, schema.num_fields());
  out.End();
  for (const auto& field : schema.fields()) WriteNode(*field, field->name(), out);
}

}  // namespace mutirao::formats::parquet_encode
