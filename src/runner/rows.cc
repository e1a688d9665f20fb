#include "runner/rows.h"

#include <arrow/api.h>
#include <arrow/util/string.h>
#include <fmt/format.h>

#include "base/utf8.h"
#include "columnar/value_json.h"

namespace mutirao::runner {
namespace {

size_t Width(const std::string& text) {
  size_t width = 0;
  for (char c : text) width += !IsContinuationByte(c);
  return width;
}

// Control characters would break the table, or the terminal.
std::string Printable(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result;
}

std::string Cut(const std::string& text, size_t widest) {
  if (Width(text) <= widest) return text;
  std::string result;
  size_t width = 0;
  for (char c : text) {
    if (!IsContinuationByte(c) && ++width >= widest) break;
    result += c;
  }
  return result + "…";
}

bool IsNumber(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_floating(type.id()) || arrow::is_decimal(type.id());
}

std::string Pad(const std::string& text, size_t width, bool right) {
  std::string space(width - std::min(width, Width(text)), ' ');
  return right ? space + text : text + space;
}

}  // namespace

std::string ValueText(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return "null";
  switch (array.type_id()) {
    case arrow::Type::STRING:
      return static_cast<const arrow::StringArray&>(array).GetString(row);
    case arrow::Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      std::string text = "[";
      for (int32_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
        if (text.size() > 1) text += ", ";
        text += ValueText(*list.values(), i);
      }
      return text + "]";
    }
    default: {
      auto scalar = array.GetScalar(row);
      return scalar.ok() ? (*scalar)->ToString() : "?";
    }
  }
}

std::string DrawTable(const SchemaPtr& schema, const std::vector<BatchPtr>& batches, int widest) {
  const size_t columns = static_cast<size_t>(schema->num_fields());
  std::vector<std::vector<std::string>> rows(2);
  for (const auto& field : schema->fields()) {
    rows[0].push_back(Cut(Printable(field->name()), widest));
    rows[1].push_back(TypeName(*field->type()));
  }
  for (const BatchPtr& batch : batches) {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      std::vector<std::string>& cells = rows.emplace_back();
      for (size_t c = 0; c < columns; ++c) {
        cells.push_back(Cut(Printable(ValueText(*batch->column(static_cast<int>(c)), row)), widest));
      }
    }
  }
  std::vector<size_t> widths(columns, 0);
  for (const auto& cells : rows) {
    for (size_t c = 0; c < columns; ++c) widths[c] = std::max(widths[c], Width(cells[c]));
  }
  std::string text;
  for (size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (size_t c = 0; c < columns; ++c) {
      if (c > 0) line += "  ";
      line += Pad(rows[r][c], widths[c], r >= 2 && IsNumber(*schema->field(static_cast<int>(c))->type()));
    }
    while (line.ends_with(' ')) line.pop_back();
    text += line + '\n';
    if (r != 1) continue;
    for (size_t c = 0; c < columns; ++c) text += (c > 0 ? "  " : "") + std::string(widths[c], '-');
    text += '\n';
  }
  return text;
}

std::string JsonLines(const SchemaPtr& schema, const std::vector<BatchPtr>& batches) {
  std::string text;
  for (const BatchPtr& batch : batches) {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      Json json = Json::object();
      for (int c = 0; c < schema->num_fields(); ++c)
        json[schema->field(c)->name()] = ValueToJson(*batch->column(c), row);
      text += json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
    }
  }
  return text;
}

}  // namespace mutirao::runner
