#include "formats/parquet/decode/group_columns.h"

#include <arrow/api.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>

#include "formats/parquet/decode/column_reader.h"

namespace mutirao::formats::parquet_decode {
namespace {

class DecodedColumns : public GroupColumns {
 public:
  DecodedColumns(std::shared_ptr<parquet::RowGroupReader> group, std::vector<std::unique_ptr<ColumnReader>> columns)
      : group_(std::move(group)), columns_(std::move(columns)) {}

  Result<ArrayPtr> Read(size_t column, int64_t count, const std::vector<uint32_t>* selection) override {
    try {
      return columns_[column]->Read(count, selection);
    } catch (const std::exception& error) {
      return Status::Invalid(error.what());
    }
  }

 private:
  std::shared_ptr<parquet::RowGroupReader> group_;
  std::vector<std::unique_ptr<ColumnReader>> columns_;
};

}  // namespace

Result<std::unique_ptr<GroupColumns>> OpenGroupColumns(parquet::arrow::FileReader& reader, const arrow::Schema& schema,
                                                       int group, const std::vector<std::string>& columns) {
  try {
    const parquet::SchemaDescriptor& descriptors = *reader.parquet_reader()->metadata()->schema();
    std::vector<int> leaves;
    std::vector<std::unique_ptr<ValueDecoder>> decoders;
    for (const std::string& name : columns) {
      const int field = schema.GetFieldIndex(name);
      leaves.push_back(reader.manifest().schema_fields[static_cast<size_t>(field)].column_index);
      if (leaves.back() < 0) return std::unique_ptr<GroupColumns>();
      decoders.push_back(MakeValueDecoder(*descriptors.Column(leaves.back()), schema.field(field)->type()));
      if (decoders.back() == nullptr) return std::unique_ptr<GroupColumns>();
    }
    auto rows = reader.parquet_reader()->RowGroup(group);
    std::vector<std::unique_ptr<ColumnReader>> readers;
    for (size_t i = 0; i < columns.size(); ++i) {
      readers.push_back(std::make_unique<ColumnReader>(*descriptors.Column(leaves[i]), rows->metadata()->num_rows(),
                                                       std::move(decoders[i]), rows->GetColumnPageReader(leaves[i])));
    }
    return std::unique_ptr<GroupColumns>(std::make_unique<DecodedColumns>(std::move(rows), std::move(readers)));
  } catch (const std::exception& error) {
    return Status::Invalid(error.what());
  }
}

}  // namespace mutirao::formats::parquet_decode
