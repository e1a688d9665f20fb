// Any bytes as a CSV file in any dialect: reading them in chunks, splits, threads, packed or with vector instructions
// gives, row for row and bad row for bad row, what the exact parser gives that goes from byte to byte.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "choices.h"
#include "formats/archive/archive_test_support.h"
#include "formats/csv/csv_test_support.h"

namespace mutirao::formats::csv {
namespace {

constexpr size_t kChoices = 26;
constexpr size_t kLongestText = 8192;

// A condition on the first column that the scan can test on the bytes, and what it means.
struct Condition {
  frame::ExprPtr expr;
  std::function<bool(const std::string&)> keeps;
};

struct Case {
  Json spec;
  ReadOptions other;
  std::optional<Condition> condition;
  int packing = 0;
};

frame::ExprPtr Call(const std::string& name, std::vector<frame::ExprPtr> args) {
  return frame::Expr::WithType(*frame::Expr::Call(name, std::move(args)), arrow::boolean());
}

Condition MakeCondition(int kind) {
  const auto column = frame::Expr::WithType(*frame::Expr::Column("a"), arrow::utf8());
  const auto text = [](const std::string& value) {
    return frame::Expr::Literal(std::make_shared<arrow::StringScalar>(value));
  };
  const std::string null = "∅";
  switch (kind) {
    case 0:
      return {Call("=", {column, text("1")}), [](const std::string& cell) { return cell == "1"; }};
    case 1:
      return {Call("not", {Call("=", {column, text("a\"")})}),
              [=](const std::string& cell) { return cell != null && cell != "a\""; }};
    case 2:
      return {Call("is_null", {column}), [=](const std::string& cell) { return cell == null; }};
    case 3:
      return {Call("like", {column, text("é%")}), [](const std::string& cell) { return cell.starts_with("é"); }};
    case 4:
      return {Call("in", {column, text(""), text("b,")}),
              [](const std::string& cell) { return cell.empty() || cell == "b,"; }};
    default:
      return {Call("or", {Call("<", {column, text("1")}), Call("is_null", {column})}),
              [=](const std::string& cell) { return cell == null || cell < "1"; }};
  }
}

Json Columns(fuzz::Choices& choices, bool texts_only) {
  Json columns = Json::array();
  const int count = 1 + choices.Below(3);
  for (int i = 0; i < 3; ++i) {
    const int type = choices.Below(9);
    if (i >= count) continue;
    static const char* const kTypes[] = {"string", "int8", "int64",     "decimal(5,2)", "float64",
                                         "bool",   "date", "timestamp", "date"};
    Json column = {{"name", std::string(1, static_cast<char>('a' + i))},
                   {"type", texts_only ? "string" : kTypes[type]}};
    if (type == 8 && !texts_only) column["format"] = "%d/%m/%Y";
    columns.push_back(std::move(column));
  }
  return columns;
}

void DrawDialect(fuzz::Choices& choices, Json* spec) {
  (*spec)["delimiter"] = choices.From<const char*>({",", ";", "\t", "|"});
  (*spec)["quote"] = choices.From<const char*>({"\"", "'", ""});
  (*spec)["escape"] = choices.From<const char*>({"", "\\", "\""});
  (*spec)["comment"] = choices.From<const char*>({"", "#"});
  (*spec)["newline"] = choices.From<const char*>({"auto", "cr"});
  (*spec)["quotes"] = choices.From<const char*>({"standard", "strict", "lenient"});
  (*spec)["nul"] = choices.From<const char*>({"drop", "keep", "error"});
  (*spec)["encoding"] =
      choices.From<const char*>({"utf-8", "latin-1", "windows-1252", "latin-9", "utf-16le", "utf-16be", "utf-16"});
  (*spec)["skip"] = choices.Below(3);
  (*spec)["max_record_bytes"] = choices.From({1000, 12, 1 << 24});
  switch (choices.Below(3)) {
    case 1:
      (*spec)["nulls"] = {"NA", ""};
      break;
    case 2:
      (*spec)["nulls"] = {"1", "é"};
      break;
    default:
      break;
  }
}

Case DrawCase(fuzz::Choices& choices) {
  Case drawn;
  DrawDialect(choices, &drawn.spec);
  drawn.spec["on_error"] = choices.From<const char*>({"quarantine", "null", "fail"});
  const int condition = choices.Below(12);
  if (condition < 6) drawn.condition = MakeCondition(condition);
  const int columns = choices.Below(4);  // 3: the file says which there are
  const Json layout = Columns(choices, drawn.condition.has_value());
  if (columns < 3 || drawn.condition) {
    drawn.spec["columns"] = layout;
    drawn.spec["header"] = columns == 2;
  } else {
    drawn.spec["header"] = layout.size() > 1;
    drawn.spec["infer"] = layout.size() > 2;
  }
  drawn.other.workers = 1 + choices.Below(3);
  drawn.other.preserve_order = choices.Flag();
  drawn.other.tuning.chunk_bytes = 1 + choices.Below(250);
  drawn.other.tuning.window_bytes = static_cast<size_t>(1 + choices.Below(250));
  const bool split = choices.Below(4) == 0;
  const int split_bytes = choices.Below(60);
  drawn.other.split_bytes = split ? split_bytes : 0;
  drawn.packing = choices.Below(8);
  drawn.spec["provenance"] = drawn.packing != 2 && choices.Below(4) == 0;
  return drawn;
}

std::string Packed(const std::string& text, int packing) {
  if (packing == 1) return archive::Deflate(text, true);
  if (packing == 2) return archive::MakeZip({{"in", text}});
  return text;
}

// What is left of a read when only rows that meet the condition are delivered.
ReadOutcome Filtered(ReadOutcome read, const Condition& condition) {
  const auto before = static_cast<int64_t>(read.rows.size());
  std::erase_if(read.rows, [&](const std::vector<std::string>& row) { return !condition.keeps(row.front()); });
  read.delivered = static_cast<int64_t>(read.rows.size());
  read.filtered = before - read.delivered;
  return read;
}

bool LooksPacked(std::string_view text) {
  const archive::MemoryObject object{std::string(text)};
  return MUTIRAO_MUST(archive::DetectContainer(object)) != archive::Container::kPlain;
}

}  // namespace
}  // namespace mutirao::formats::csv

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mutirao::formats::csv;
  mutirao::fuzz::Choices choices(data, size, kChoices);
  const std::string text(choices.text().substr(0, kLongestText));
  Case drawn = DrawCase(choices);
  // A null is shown as this sign, and a text that looks packed would be unpacked when it is not meant to be.
  if (text.find("∅") != text.npos || LooksPacked(text)) return 0;

  static const TestFolder folder;
  drawn.spec["csv"] = folder.Write("in.csv", text);
  ReadOptions exact;
  exact.tuning.quick_path = false;
  exact.tuning.simd = SimdLevel::kScalar;
  ReadOutcome right = ReadSpec(drawn.spec, exact);
  if (drawn.condition) {
    drawn.other.predicate = drawn.condition->expr;
    right = Filtered(std::move(right), *drawn.condition);
  }
  if (drawn.packing == 1 || drawn.packing == 2) folder.Write("in.csv", Packed(text, drawn.packing));
  const std::string difference = Difference(right, ReadSpec(drawn.spec, drawn.other));
  mutirao::fuzz::Require(difference.empty(), difference);
  return 0;
}
