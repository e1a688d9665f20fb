#include "formats/dataset/opened_file.h"

#include <algorithm>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"

namespace mutirao::formats {
namespace {

Result<ScalarPtr> PartitionScalar(const PartitionValue& partition, const TypePtr& type, const std::string& uri) {
  if (!partition.value) return arrow::MakeNullScalar(type);
  ScalarPtr text = std::make_shared<arrow::StringScalar>(*partition.value);
  if (type->id() == arrow::Type::STRING) return text;
  auto cast = arrow::compute::Cast(arrow::Datum(text), type);
  if (cast.ok()) return cast->scalar();
  return Status::Invalid(fmt::format("{}: \"{}\" is not a value of type {} for the partition column \"{}\"", uri,
                                     *partition.value, TypeName(*type), partition.column))
      .Help("give its type under partitions, or leave it a string");
}

Status CheckType(const SourceFile& file, const arrow::Field& stored, const arrow::Field& wanted) {
  auto type = PlanTypeFor(*stored.type());
  if (type.ok() && (*type)->Equals(*wanted.type())) return Status::Ok();
  return Status::Invalid(fmt::format("column \"{}\" has type {} in {} and type {} in the first file", wanted.name(),
                                     type.ok() ? TypeName(**type) : stored.type()->ToString(), file.uri,
                                     TypeName(*wanted.type())))
      .Help("read files of different types separately, cast their columns and put them together with union");
}

Status NoColumn(const SourceFile& file, const std::string& name, const arrow::Schema& in_file) {
  std::string help = DidYouMean(name, in_file.field_names());
  if (help.empty()) help = "read files of different columns separately and put them together with union";
  return Status::Invalid(fmt::format("{} has no column \"{}\", which the first file has", file.uri, name))
      .Help(std::move(help));
}

}  // namespace

Result<OpenedFile> OpenedFile::Open(const ReadFormat& format, std::shared_ptr<const SourceFile> file,
                                    const arrow::Schema& schema, storage::Reading reading) {
  OpenedFile opened{.file = std::move(file)};
  opened.reader = MUTIRAO_TRY(OpenGroups(format, opened.file->uri, reading));
  const arrow::Schema& in_file = *opened.reader->schema();
  for (const auto& field : schema.fields()) {
    if (auto stored = in_file.GetFieldByName(field->name())) {
      MUTIRAO_TRY(CheckType(*opened.file, *stored, *field));
      opened.from_file.push_back(field->name());
      continue;
    }
    const auto& partitions = opened.file->partitions;
    auto partition = std::find_if(partitions.begin(), partitions.end(),
                                  [&](const PartitionValue& value) { return value.column == field->name(); });
    if (partition == partitions.end()) return NoColumn(*opened.file, field->name(), in_file);
    opened.from_path[field->name()] = MUTIRAO_TRY(PartitionScalar(*partition, field->type(), opened.file->uri));
  }
  return opened;
}

Result<BatchPtr> OpenedFile::MakeRows(const SchemaPtr& schema, int64_t rows,
                                      const std::function<Result<ArrayPtr>(size_t)>& read) const {
  std::vector<ArrayPtr> columns;
  arrow::FieldVector fields;
  for (const auto& field : schema->fields()) {
    ArrayPtr column;
    if (auto in_path = from_path.find(field->name()); in_path != from_path.end()) {
      column = MUTIRAO_TRY(arrow::MakeArrayFromScalar(*in_path->second, rows));
    } else {
      const auto name = std::find(from_file.begin(), from_file.end(), field->name());
      column = MUTIRAO_TRY(read(static_cast<size_t>(name - from_file.begin())));
    }
    fields.push_back(arrow::field(field->name(), column->type()));
    columns.push_back(std::move(column));
  }
  auto batch = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows, std::move(columns));
  return ToPlanTypes(batch, schema);
}

}  // namespace mutirao::formats
