#include "formats/csv_writer/csv_encoder.h"

#include <cstdio>
#include <functional>

#include <arrow/api.h>
#include <fmt/format.h>

#include "base/utf8.h"
#include "columnar/arrow_status.h"
#include "frame/functions/time_text.h"
#include "frame/functions/value_text.h"
#include "storage/storage.h"

namespace mutirao::formats {
namespace {

// Appends the text of one value. REQUIRES: it is not null.
using Printer = std::function<void(int64_t row, std::string* out)>;

template <typename Array>
const Array& As(const ArrayPtr& column) {
  return static_cast<const Array&>(*column);
}

template <typename Array>
Printer IntegerPrinter(const ArrayPtr& column) {
  return [&array = As<Array>(column)](int64_t row, std::string* out) { frame::AppendInt64(array.Value(row), out); };
}

Result<Printer> TimestampPrinter(const ArrayPtr& column) {
  auto zone = MUTIRAO_TRY(frame::FindZone(static_cast<const arrow::TimestampType&>(*column->type()).timezone()));
  return Printer([&array = As<arrow::TimestampArray>(column), zone](int64_t row, std::string* out) {
    frame::AppendTimestamp(array.Value(row), zone, out);
  });
}

Printer DecimalPrinter(const ArrayPtr& column) {
  int scale = static_cast<const arrow::Decimal128Type&>(*column->type()).scale();
  return [&array = As<arrow::Decimal128Array>(column), scale](int64_t row, std::string* out) {
    arrow::Decimal128 value(array.GetValue(row));
    auto high = static_cast<frame::Int128>(value.high_bits());
    frame::AppendDecimal((high << 64) | static_cast<frame::Int128>(value.low_bits()), scale, out);
  };
}

Result<Printer> PrinterFor(const ArrayPtr& column) {
  switch (column->type_id()) {
    case arrow::Type::BOOL:
      return Printer([&array = As<arrow::BooleanArray>(column)](int64_t row, std::string* out) {
        out->append(array.Value(row) ? "true" : "false");
      });
    case arrow::Type::INT8:
      return IntegerPrinter<arrow::Int8Array>(column);
    case arrow::Type::INT16:
      return IntegerPrinter<arrow::Int16Array>(column);
    case arrow::Type::INT32:
      return IntegerPrinter<arrow::Int32Array>(column);
    case arrow::Type::INT64:
      return IntegerPrinter<arrow::Int64Array>(column);
    case arrow::Type::DOUBLE:
      return Printer([&array = As<arrow::DoubleArray>(column)](int64_t row, std::string* out) {
        frame::AppendFloat64(array.Value(row), out);
      });
    case arrow::Type::DECIMAL128:
      return DecimalPrinter(column);
    case arrow::Type::DATE32:
      return Printer([&array = As<arrow::Date32Array>(column)](int64_t row, std::string* out) {
        frame::AppendDate(array.Value(row), out);
      });
    case arrow::Type::TIMESTAMP:
      return TimestampPrinter(column);
    case arrow::Type::STRING:
      return Printer([&array = As<arrow::StringArray>(column)](int64_t row, std::string* out) {
        out->append(array.GetView(row));
      });
    default:
      return Status::Unsupported("csv has no values of type " + TypeName(*column->type()));
  }
}

// Rewrites UTF-8 as latin-1; gives the first character that it does not have, or nothing.
std::string ToLatin1(std::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size();) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      out->push_back(text[i++]);
      continue;
    }
    const size_t end = CharacterEnd(text, i);
    if ((byte != 0xC2 && byte != 0xC3) || end != i + 2) return std::string(text.substr(i, end - i));
    out->push_back(static_cast<char>(((byte & 0x03) << 6) | (static_cast<unsigned char>(text[i + 1]) & 0x3F)));
    i = end;
  }
  return "";
}

class CsvEncoder : public FileEncoder {
 public:
  CsvEncoder(std::shared_ptr<storage::FileOutput> output, SchemaPtr schema, CsvWriteOptions options)
      : output_(std::move(output)), schema_(std::move(schema)), options_(std::move(options)) {}

  Status WriteHeader() {
    if (!options_.header) return Status::Ok();
    std::string line;
    for (int i = 0; i < schema_->num_fields(); ++i) {
      if (i > 0) line += options_.delimiter;
      AppendField(schema_->field(i)->name(), &line);
    }
    line += '\n';
    return Put(line);
  }

  Status WriteGroup(const std::vector<BatchPtr>& batches) override {
    for (const BatchPtr& batch : batches) MUTIRAO_TRY(WriteBatch(*batch));
    return Status::Ok();
  }

  Status Close(int64_t) override { return Status::Ok(); }

 private:
  Status WriteBatch(const arrow::RecordBatch& batch) {
    std::vector<ArrayPtr> columns = batch.columns();
    std::vector<Printer> printers;
    for (const ArrayPtr& column : columns) {
      auto printer = MUTIRAO_TRY(PrinterFor(column));
      printers.push_back(std::move(printer));
    }
    std::string lines, value;
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      for (size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) lines += options_.delimiter;
        if (columns[i]->IsNull(row)) {
          lines += options_.null_text;
          continue;
        }
        value.clear();
        printers[i](row, &value);
        AppendField(value, &lines);
      }
      lines += '\n';
      if (lines.size() >= kBlockBytes) {
        MUTIRAO_TRY(Put(lines));
        lines.clear();
      }
    }
    return Put(lines);
  }

  bool NeedsQuotes(std::string_view value) const {
    if (options_.quote_all || value.empty() || value == options_.null_text) return true;
    if (value.starts_with("\xEF\xBB\xBF")) return true;  // at the beginning of a file it would be taken for a mark
    for (char c : value) {
      if (c == options_.delimiter || c == '"' || c == '\n' || c == '\r') return true;
    }
    return false;
  }

  void AppendField(std::string_view value, std::string* out) const {
    if (!NeedsQuotes(value)) {
      out->append(value);
      return;
    }
    *out += '"';
    for (char c : value) {
      if (c == '"') *out += '"';
      *out += c;
    }
    *out += '"';
  }

  Status Put(const std::string& text) {
    if (!options_.latin1) return Written(output_->Write(text.data(), static_cast<int64_t>(text.size())));
    std::string encoded;
    if (std::string character = ToLatin1(text, &encoded); !character.empty()) {
      return Status::Invalid(fmt::format("the character \"{}\" is not in latin-1", character))
          .Help("write with encoding: utf-8, or replace such characters in the frame (unaccent)")
          .Context("writing " + output_->path());
    }
    return Written(output_->Write(encoded.data(), static_cast<int64_t>(encoded.size())));
  }

  Status Written(const arrow::Status& status) const { return status.ok() ? Status::Ok() : output_->failed(); }

  static constexpr size_t kBlockBytes = size_t{1} << 20;

  std::shared_ptr<storage::FileOutput> output_;
  SchemaPtr schema_;
  CsvWriteOptions options_;
};

class CsvFormat : public FileFormat {
 public:
  explicit CsvFormat(CsvWriteOptions options) : options_(std::move(options)) {}

  std::string extension() const override { return ".csv"; }
  int64_t group_rows() const override { return 65536; }

  Result<std::unique_ptr<FileEncoder>> Open(std::shared_ptr<storage::FileOutput> output, const SchemaPtr& schema,
                                            const Json&) const override {
    auto encoder = std::make_unique<CsvEncoder>(std::move(output), schema, options_);
    MUTIRAO_TRY(encoder->WriteHeader());
    return std::unique_ptr<FileEncoder>(std::move(encoder));
  }

  // Records end at line ends outside quotes, and quotes come in pairs in what we write.
  Result<int64_t> CountRows(const std::string& path) const override {
    auto store = MUTIRAO_TRY(storage::StoreFor(path));
    auto file = MUTIRAO_TRY(store->Open(path));
    std::string block(size_t{1} << 20, '\0');
    bool quoted = false;
    int64_t rows = options_.header ? -1 : 0;
    for (int64_t at = 0;;) {
      auto read = MUTIRAO_TRY(file->ReadAt(at, std::as_writable_bytes(std::span(block))));
      if (read == 0) break;
      at += read;
      for (char c : std::string_view(block).substr(0, static_cast<size_t>(read))) {
        if (c == '"') quoted = !quoted;
        if (c == '\n' && !quoted) ++rows;
      }
    }
    return quoted ? Status::Io(path + " ends inside quotes") : Result<int64_t>(std::max<int64_t>(rows, 0));
  }

 private:
  CsvWriteOptions options_;
};

}  // namespace

std::shared_ptr<const FileFormat> MakeCsvFormat(const CsvWriteOptions& options) {
  return std::make_shared<CsvFormat>(options);
}

}  // namespace mutirao::formats
