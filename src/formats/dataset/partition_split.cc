#include "formats/dataset/partition_split.h"

#include <algorithm>
#include <unordered_map>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "formats/dataset/partition_path.h"

namespace mutirao::formats {
namespace {

// The value of one column for every row, as a number and the text each number stands for.
struct CodedColumn {
  std::vector<int32_t> codes;
  std::vector<std::string> segments;
};

Result<CodedColumn> CodeColumn(const std::string& name, const ArrayPtr& column) {
  ArrayPtr text = column;
  if (column->type_id() != arrow::Type::STRING) {
    auto cast = MUTIRAO_TRY(arrow::compute::Cast(column, arrow::utf8()));
    text = cast.make_array();
  }
  auto encoded = MUTIRAO_TRY(arrow::compute::DictionaryEncode(text));
  auto array = encoded.array_as<arrow::DictionaryArray>();
  const auto& values = static_cast<const arrow::StringArray&>(*array->dictionary());
  CodedColumn out;
  for (int64_t i = 0; i < values.length(); ++i) out.segments.push_back(PartitionSegment(name, values.GetView(i)));
  auto null_code = static_cast<int32_t>(out.segments.size());
  out.segments.push_back(PartitionSegment(name, std::nullopt));
  out.codes.resize(static_cast<size_t>(array->length()));
  for (int64_t i = 0; i < array->length(); ++i) {
    out.codes[i] = array->IsNull(i) ? null_code : static_cast<int32_t>(array->GetValueIndex(i));
  }
  return out;
}

struct Groups {
  std::vector<std::string> folders;
  std::vector<std::vector<int32_t>> rows;
};

// Number the combinations of values, in order of first appearance.
std::vector<int32_t> CombineCodes(const std::vector<CodedColumn>& columns, int64_t length) {
  std::vector<int32_t> combined(static_cast<size_t>(length), 0);
  for (const CodedColumn& column : columns) {
    std::unordered_map<int64_t, int32_t> numbers;
    auto values = static_cast<int64_t>(column.segments.size());
    for (size_t row = 0; row < combined.size(); ++row) {
      int64_t key = combined[row] * values + column.codes[row];
      combined[row] = numbers.try_emplace(key, static_cast<int32_t>(numbers.size())).first->second;
    }
  }
  return combined;
}

Groups GroupRows(const std::vector<CodedColumn>& columns, int64_t length) {
  Groups groups;
  std::vector<int32_t> group_of = CombineCodes(columns, length);
  for (size_t row = 0; row < group_of.size(); ++row) {
    auto group = static_cast<size_t>(group_of[row]);
    if (group == groups.rows.size()) {
      std::string folder;
      for (const CodedColumn& column : columns) {
        folder += (folder.empty() ? "" : "/") + column.segments[column.codes[row]];
      }
      groups.folders.push_back(std::move(folder));
      groups.rows.emplace_back();
    }
    groups.rows[group].push_back(static_cast<int32_t>(row));
  }
  return groups;
}

Result<BatchPtr> TakeRows(const BatchPtr& batch, const std::vector<int32_t>& rows) {
  arrow::Int32Array indices(static_cast<int64_t>(rows.size()), arrow::Buffer::Wrap(rows));
  auto taken = MUTIRAO_TRY(arrow::compute::Take(arrow::Datum(batch), arrow::Datum(indices.data()),
                                                arrow::compute::TakeOptions::NoBoundsCheck()));
  return taken.record_batch();
}

}  // namespace

Status CheckPartitionType(const std::string& column, const arrow::DataType& type) {
  bool allowed = arrow::is_integer(type.id()) || type.id() == arrow::Type::BOOL || type.id() == arrow::Type::STRING ||
                 type.id() == arrow::Type::DECIMAL128 || type.id() == arrow::Type::DATE32 ||
                 type.id() == arrow::Type::TIMESTAMP;
  if (allowed) return Status::Ok();
  return Status::Invalid(fmt::format("column \"{}\" of type {} cannot be part of a path", column, TypeName(type)))
      .Help("partition by bool, whole numbers, decimal, string, date or timestamp");
}

SchemaPtr WithoutColumns(const arrow::Schema& schema, const std::vector<std::string>& columns) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    if (std::find(columns.begin(), columns.end(), field->name()) == columns.end()) fields.push_back(field);
  }
  return arrow::schema(std::move(fields));
}

Result<std::vector<PartitionPiece>> SplitByPartition(const BatchPtr& batch, const std::vector<std::string>& columns) {
  std::vector<CodedColumn> coded;
  for (const std::string& name : columns) {
    auto column = MUTIRAO_TRY(CodeColumn(name, batch->GetColumnByName(name)));
    coded.push_back(std::move(column));
  }
  SchemaPtr schema = WithoutColumns(*batch->schema(), columns);
  std::vector<ArrayPtr> arrays;
  for (const auto& field : schema->fields()) arrays.push_back(batch->GetColumnByName(field->name()));
  BatchPtr stored = arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(arrays));

  Groups groups = GroupRows(coded, batch->num_rows());
  std::vector<PartitionPiece> pieces;
  for (size_t i = 0; i < groups.rows.size(); ++i) {
    BatchPtr rows = stored;
    if (groups.rows.size() > 1) rows = MUTIRAO_TRY(TakeRows(stored, groups.rows[i]));
    pieces.push_back({std::move(groups.folders[i]), std::move(rows)});
  }
  return pieces;
}

}  // namespace mutirao::formats
