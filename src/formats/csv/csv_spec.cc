#include "formats/csv/csv_spec.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "formats/csv/csv_schema.h"
#include "frame/format_registry.h"
#include "storage/storage.h"

namespace mutirao::formats::csv {
namespace {

// Keys that only ToJson() writes.
constexpr const char* kPlanKeys[] = {"files", "provenance", "guessed_types", "header_names", "warnings"};

// Keys that a user may write.
const std::vector<std::string>& ReadKeys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> names;
    const Json schema = CsvReadSchema();
    for (const auto& [name, property] : schema["properties"].items()) names.push_back(name);
    return names;
  }();
  return keys;
}

class SpecParser {
 public:
  SpecParser(const Json& spec, const frame::FormatContext& context, Diagnostics& errors)
      : json_(spec), context_(context), errors_(errors) {}

  Result<CsvSpec> Parse() {
    const size_t before = errors_.size();
    if (!json_.is_object()) {
      errors_.Add("", "a read is a mapping such as {csv: data.csv}");
      return errors_.ToStatus();
    }
    CheckKeys();
    ApplyLayout();
    ParseDialect();
    ParseColumnKeys();
    ParsePolicy();
    if (errors_.size() == before) ParseFiles();
    if (errors_.size() > before) return errors_.ToStatus();
    return std::move(spec_);
  }

 private:
  void Fault(const std::string& key, std::string message, std::string help = "") {
    errors_.Add({.message = std::move(message), .pointer = PointerJoin("", key), .help = std::move(help)});
  }

  void CheckKeys() {
    const std::vector<std::string>& known = ReadKeys();
    for (const auto& [key, value] : json_.items()) {
      if (std::ranges::find(known, key) != known.end() || std::ranges::find(kPlanKeys, key) != std::end(kPlanKeys)) {
        spec_.given.push_back(key);
        continue;
      }
      errors_.Add({.message = fmt::format("unknown key \"{}\"", key),
                   .pointer = PointerJoin("", key),
                   .at_key = true,
                   .help = DidYouMean(key, known)});
    }
  }

  // Finds the layout and puts its dialect under the keys that the read itself does not have.
  void ApplyLayout() {
    merged_ = json_;
    const std::string name = Text("layout", "");
    spec_.layout = name;
    if (name.empty()) return;
    std::optional<Json> document = BuiltinLayout(name);
    if (!document && context_.find_layout) {
      auto found = context_.find_layout(name);
      if (found.ok()) document = *found;
      if (!found.ok() && found.status().code() != StatusCode::kNotFound)
        return Fault("layout", found.status().message(), found.status().help());
      if (!found.ok() && !found.status().help().empty()) {
        return Fault("layout", fmt::format("there is no layout \"{}\"", name), found.status().help());
      }
    }
    if (!document) {
      std::string help = DidYouMean(name, BuiltinLayoutNames());
      if (help.empty())
        help =
            fmt::format("built in are {}; others are files layouts/NAME.yaml", fmt::join(BuiltinLayoutNames(), ", "));
      return Fault("layout", fmt::format("there is no layout \"{}\"", name), std::move(help));
    }
    Diagnostics layout_errors;
    auto layout = ParseLayout(*document, "", layout_errors);
    for (const Diagnostic& error : layout_errors.list()) {
      Fault("layout",
            fmt::format("layout \"{}\" is wrong at {}: {}", name, error.pointer.empty() ? "/" : error.pointer,
                        error.message),
            error.help);
    }
    if (!layout.ok()) return;
    spec_.columns = layout->columns;
    for (const auto& [key, value] : layout->dialect.items()) {
      if (!merged_.contains(key)) merged_[key] = value;
    }
  }

  void ParseDialect() {
    Dialect& dialect = spec_.dialect;
    dialect.delimiter = static_cast<char>(Character("delimiter", ',', false));
    dialect.quote = Character("quote", '"', true);
    dialect.escape = Character("escape", -1, true);
    dialect.comment = Character("comment", -1, true);
    const std::string encoding = Text("encoding", "utf-8");
    if (const auto found = FindEncoding(encoding)) {
      dialect.encoding = *found;
    } else {
      std::string help = DidYouMean(encoding, EncodingNames());
      Fault("encoding", fmt::format("encoding \"{}\" is not known", encoding),
            help.empty() ? fmt::format("known are {}", fmt::join(EncodingNames(), ", ")) : help);
    }
    dialect.cr_ends = Choice("newline", {"auto", "cr"}) == 1;
    dialect.quotes = static_cast<QuoteRule>(Choice("quotes", {"standard", "strict", "lenient"}));
    dialect.nul = static_cast<NulRule>(Choice("nul", {"drop", "keep", "error"}));
    dialect.skip = Integer("skip", 0, 0, INT64_MAX);
    dialect.max_record_bytes = Integer("max_record_bytes", dialect.max_record_bytes, 1, int64_t{1} << 30);
    dialect.header = Flag("header", !merged_.contains("columns") && spec_.columns.empty());
    ParseNulls();
    CheckCharacters();
  }

  void ParseNulls() {
    if (!merged_.contains("nulls")) return;
    const Json& nulls = merged_["nulls"];
    if (!nulls.is_array() || !std::ranges::all_of(nulls, [](const Json& text) { return text.is_string(); })) {
      return Fault("nulls", "nulls is a list of texts that mean null, such as ['', 'NA']");
    }
    for (const Json& text : nulls) spec_.dialect.nulls.push_back(text);
  }

  void CheckCharacters() {
    const Dialect& dialect = spec_.dialect;
    const std::pair<const char*, int> characters[] = {{"delimiter", static_cast<unsigned char>(dialect.delimiter)},
                                                      {"quote", dialect.quote},
                                                      {"comment", dialect.comment},
                                                      {"escape", dialect.escape}};
    for (size_t i = 0; i < 4; ++i) {
      for (size_t k = i + 1; k < 4; ++k) {
        // The quote as its own escape is the usual doubled quote.
        if (characters[i].second < 0 || characters[i].second != characters[k].second || (i == 1 && k == 3)) continue;
        Fault(characters[k].first,
              fmt::format("{} and {} are the same character", characters[i].first, characters[k].first));
      }
    }
  }

  void ParseColumnKeys() {
    if (json_.contains("columns")) {
      if (!spec_.layout.empty())
        Fault("columns", "a read has a layout or columns, not both", "use types to change the type of a column");
      spec_.columns = ParseColumns(json_["columns"], "/columns", errors_);
    }
    if (!json_.contains("types")) return;
    if (!json_["types"].is_object()) return Fault("types", "types is a mapping of column to type");
    std::vector<std::string> names;
    for (const ColumnSpec& column : spec_.columns) names.push_back(column.name);
    for (const auto& [name, value] : json_["types"].items()) {
      ColumnSpec column{.name = name};
      const std::string pointer = PointerJoin("/types", name);
      if (!names.empty() && std::ranges::find(names, name) == names.end()) {
        errors_.Add({.message = fmt::format("column \"{}\" is not in the file", name),
                     .pointer = pointer,
                     .at_key = true,
                     .help = DidYouMean(name, names)});
      }
      ParseColumnType(value, pointer, &column, errors_);
      if (column.type) spec_.types.push_back(std::move(column));
    }
  }

  void ParsePolicy() {
    spec_.on_error = static_cast<ErrorPolicy>(Choice("on_error", {"fail", "quarantine", "null"}));
    spec_.infer = Flag("infer", false);
    spec_.sniff = Flag("sniff", false);
    spec_.provenance = Flag("provenance", false);
    spec_.guessed_types = Flag("guessed_types", false);
    spec_.header_names = Flag("header_names", false);
    spec_.quarantine = Text("quarantine", "");
    spec_.member = Text("member", "");
    if (json_.contains("warnings")) {
      for (const Json& warning : json_["warnings"]) {
        if (warning.is_string()) spec_.warnings.push_back(warning);
      }
    }
    if (json_.contains("max_errors")) ParseErrorLimit(json_["max_errors"]);
  }

  void ParseErrorLimit(const Json& limit) {
    if (limit.is_number_integer() && limit.get<int64_t>() >= 0) {
      spec_.error_limit.count = limit.get<int64_t>();
      return;
    }
    if (limit.is_string()) {
      const std::string text = limit;
      double percent = -1;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
      if (error == std::errc() && percent >= 0 && percent <= 100 && std::string_view(end) == "%") {
        spec_.error_limit.share = percent / 100;
        return;
      }
    }
    Fault("max_errors", "max_errors is a number of rows or a share such as \"1%\"");
  }

  void ParseFiles() {
    const Json& paths = json_.contains("csv") ? json_["csv"] : Json();
    if (paths.is_string()) spec_.paths.push_back(paths);
    if (paths.is_array()) {
      for (const Json& path : paths) {
        if (!path.is_string()) return Fault("csv", "csv is a path or a list of paths");
        spec_.paths.push_back(path);
      }
    }
    if (spec_.paths.empty()) return Fault("csv", "csv is a path or a list of paths");
    if (json_.contains("files")) return TakeListedFiles(json_["files"]);
    for (const std::string& path : spec_.paths) {
      const std::string resolved = storage::ResolvePath(context_.base_dir, path);
      auto store = storage::StoreFor(resolved);
      if (!store.ok()) return Fault("csv", store.status().message(), store.status().help());
      auto found = (*store)->List(resolved);
      if (!found.ok()) return Fault("csv", found.status().ToString(), found.status().help());
      spec_.files.insert(spec_.files.end(), found->begin(), found->end());
    }
    if (spec_.files.empty()) Fault("csv", fmt::format("no file matches {}", spec_.paths.front()));
  }

  void TakeListedFiles(const Json& files) {
    for (const Json& file : files) {
      if (!file.is_object() || !file.contains("uri") || !file.contains("size") || !file["uri"].is_string() ||
          !file["size"].is_number_integer()) {
        return Fault("files", "files is a list of {uri, size, version}, as a plan has it");
      }
      spec_.files.push_back({.uri = file["uri"], .size = file["size"], .version = file.value("version", "")});
    }
    if (spec_.files.empty()) Fault("files", "files must not be empty");
  }

  std::string Text(const std::string& key, std::string otherwise) {
    if (!merged_.contains(key) && !json_.contains(key)) return otherwise;
    const Json& value = merged_.contains(key) ? merged_[key] : json_[key];
    if (value.is_string()) return value;
    Fault(key, fmt::format("{} is text", key));
    return otherwise;
  }

  bool Flag(const std::string& key, bool otherwise) {
    if (!merged_.contains(key)) return otherwise;
    if (merged_[key].is_boolean()) return merged_[key];
    Fault(key, fmt::format("{} is true or false", key));
    return otherwise;
  }

  int64_t Integer(const std::string& key, int64_t otherwise, int64_t low, int64_t high) {
    if (!merged_.contains(key)) return otherwise;
    const Json& value = merged_[key];
    if (value.is_number_integer() && value.get<int64_t>() >= low && value.get<int64_t>() <= high) return value;
    Fault(key, fmt::format("{} is a whole number from {} to {}", key, low, high));
    return otherwise;
  }

  int Choice(const std::string& key, const std::vector<std::string>& names) {
    if (!merged_.contains(key)) return 0;
    const std::string text = merged_[key].is_string() ? merged_[key].get<std::string>() : "";
    // YAML reads a bare null as no value at all.
    const auto found = std::ranges::find(names, merged_[key].is_null() ? std::string("null") : text);
    if (found != names.end()) return static_cast<int>(found - names.begin());
    Fault(key, fmt::format("{} is one of {}", key, fmt::join(names, ", ")), DidYouMean(text, names));
    return 0;
  }

  // One byte; -1 for an empty text where that is allowed.
  int Character(const std::string& key, int otherwise, bool may_be_empty) {
    if (!merged_.contains(key)) return otherwise;
    const Json& value = merged_[key];
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    if (may_be_empty && (value.is_null() || (value.is_string() && text.empty()))) return -1;
    if (text.size() == 1 && text[0] != '\n' && text[0] != '\r' && text[0] != '\0' &&
        static_cast<unsigned char>(text[0]) < 0x80) {
      return static_cast<unsigned char>(text[0]);
    }
    Fault(key, fmt::format("{} is one ASCII character{}", key, may_be_empty ? ", or empty for none" : ""),
          key == "delimiter" && text == "\\t" ? "write \"\\t\" in double quotes for a tab" : "");
    return otherwise;
  }

  const Json& json_;
  const frame::FormatContext& context_;
  Diagnostics& errors_;
  Json merged_;
  CsvSpec spec_;
};

std::string CharacterText(int character) {
  return character < 0 ? "" : std::string(1, static_cast<char>(character));
}

}  // namespace

bool CsvSpec::Gave(std::string_view key) const {
  return std::ranges::find(given, key) != given.end();
}

Json CsvSpec::ToJson() const {
  static constexpr const char* kQuotes[] = {"standard", "strict", "lenient"};
  static constexpr const char* kNul[] = {"drop", "keep", "error"};
  static constexpr const char* kOnError[] = {"fail", "quarantine", "null"};
  Json json;
  json["csv"] = paths.size() == 1 ? Json(paths.front()) : Json(paths);
  json["header"] = dialect.header;
  json["delimiter"] = std::string(1, dialect.delimiter);
  json["quote"] = CharacterText(dialect.quote);
  json["escape"] = CharacterText(dialect.escape);
  json["encoding"] = EncodingName(dialect.encoding);
  json["newline"] = dialect.cr_ends ? "cr" : "auto";
  json["comment"] = CharacterText(dialect.comment);
  json["skip"] = dialect.skip;
  json["nulls"] = dialect.nulls;
  json["quotes"] = kQuotes[static_cast<size_t>(dialect.quotes)];
  json["nul"] = kNul[static_cast<size_t>(dialect.nul)];
  json["max_record_bytes"] = dialect.max_record_bytes;
  json["on_error"] = kOnError[static_cast<size_t>(on_error)];
  if (error_limit.count) json["max_errors"] = *error_limit.count;
  if (error_limit.share) json["max_errors"] = fmt::format("{}%", *error_limit.share * 100);
  if (provenance) json["provenance"] = true;
  if (!quarantine.empty()) json["quarantine"] = quarantine;
  if (!member.empty()) json["member"] = member;
  if (guessed_types) json["guessed_types"] = true;
  if (header_names) json["header_names"] = true;
  if (!warnings.empty()) json["warnings"] = warnings;
  json["columns"] = Json::array();
  for (const ColumnSpec& column : columns) {
    Json item = {{"name", column.name}, {"type", TypeName(*column.type)}};
    if (!column.format.empty()) item["format"] = column.format;
    json["columns"].push_back(std::move(item));
  }
  json["files"] = Json::array();
  for (const auto& file : files)
    json["files"].push_back({{"uri", file.uri}, {"size", file.size}, {"version", file.version}});
  return json;
}

Result<CsvSpec> ParseCsvSpec(const Json& spec, const frame::FormatContext& context, Diagnostics& errors) {
  return SpecParser(spec, context, errors).Parse();
}

}  // namespace mutirao::formats::csv
