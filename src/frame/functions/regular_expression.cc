#include <optional>

#include <arrow/api.h>
#include <fmt/format.h>

#include "base/utf8.h"
#include "columnar/arrow_status.h"
#include "frame/functions/families.h"
#include "frame/functions/regex.h"
#include "frame/functions/text_map.h"

namespace mutirao::frame {
namespace {

// A pattern must be a constant: it is compiled once. Null gives a null pointer.
Result<RegexPtr> CompileConstant(const CallSite& site) {
  const ScalarPtr& scalar = site.constants[1];
  if (!scalar)
    return Status::Invalid("the pattern must be a constant text").Help("write it as '…' or take it from a parameter");
  if (!scalar->is_valid) return RegexPtr();
  return Regex::Compile(static_cast<const arrow::StringScalar&>(*scalar).view());
}

Kernel GiveNulls(const CallSite& site) {
  return [type = site.result_type](const std::vector<ArrayPtr>&, int64_t rows) -> Result<ArrayPtr> {
    return MUTIRAO_TRY(arrow::MakeArrayOfNull(type, rows));
  };
}

// Searches of a batch: the first row that cannot be searched is the error.
class BatchSearch {
 public:
  explicit BatchSearch(const Regex& regex) : search_(regex) {}

  bool Find(int64_t row, std::string_view text, size_t start = 0) {
    if (error_) return false;
    bool found = search_.Find(text, start);
    if (search_.failed()) error_ = RowError(row, search_.FailureText());
    return found;
  }
  void Fail(int64_t row, std::string_view message) {
    if (!error_) error_ = RowError(row, message);
  }
  const RegexSearch& found() const { return search_; }
  Result<ArrayPtr> Finish(Result<ArrayPtr> array) const {
    if (error_) return *error_;
    return array;
  }

 private:
  RegexSearch search_;
  std::optional<Status> error_;
};

Result<Kernel> MakeMatches(const CallSite& site) {
  auto regex = MUTIRAO_TRY(CompileConstant(site));
  if (!regex) return GiveNulls(site);
  return Kernel([regex](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Texts texts(*args[0]);
    BatchSearch search(*regex);
    auto matches = [&](int64_t row) { return !nulls.is_null(row) && search.Find(row, texts[row]); };
    return search.Finish(MapBits(rows, nulls, matches));
  });
}

// What stands for a match: texts and numbers of groups in turn.
struct Rewrite {
  std::vector<std::pair<std::string, int>> pieces;
  std::string rest;

  void Append(const RegexSearch& found, std::string* out) const {
    for (const auto& [text, group] : pieces) out->append(text).append(found.group(group));
    out->append(rest);
  }
};

// Gives what is wrong, or an empty text.
std::string ParseRewrite(std::string_view text, int groups, Rewrite* rewrite) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      rewrite->rest += text[i];
      continue;
    }
    char next = ++i < text.size() ? text[i] : 'x';
    if (next == '\\') {
      rewrite->rest += next;
    } else if (next < '0' || next > '9') {
      return "a backslash stands before a digit or another backslash";
    } else if (next - '0' > groups) {
      return fmt::format("it names group {}, the pattern has {}", next, groups);
    } else {
      rewrite->pieces.emplace_back(std::move(rewrite->rest), next - '0');
      rewrite->rest.clear();
    }
  }
  return "";
}

std::string CannotReplace(std::string_view text, std::string_view reason) {
  return fmt::format("{} cannot replace: {}", ShowText(text), reason);
}

// An empty match right after another match does not count, as in RE2.
void ReplaceMatches(int64_t row, std::string_view text, const Rewrite& rewrite, bool global, BatchSearch* search,
                    std::string* out) {
  const RegexSearch& found = search->found();
  size_t start = 0;
  size_t last_end = std::string_view::npos;
  while (search->Find(row, text, start)) {
    out->append(text.substr(start, found.begin() - start));
    if (found.begin() == found.end() && found.begin() == last_end) {
      if (last_end == text.size()) return;
      start = CharacterEnd(text, last_end);
      out->append(text.substr(last_end, start - last_end));
      continue;
    }
    rewrite.Append(found, out);
    start = last_end = found.end();
    if (!global) break;
  }
  out->append(text.substr(start));
}

struct Replacement {
  RegexPtr regex;
  bool global = false;
  // Of a constant third argument.
  std::optional<Rewrite> rewrite;

  Result<ArrayPtr> Run(const std::vector<ArrayPtr>& args, int64_t rows) const {
    auto nulls = MUTIRAO_TRY(CombineNulls({args[0], args[1], args[2]}, rows));
    Texts texts(*args[0]), rewrites(*args[2]);
    BatchSearch search(*regex);
    auto write = [&](int64_t row, std::string* out) {
      if (rewrite) return ReplaceMatches(row, texts[row], *rewrite, global, &search, out);
      Rewrite own;
      std::string problem = ParseRewrite(rewrites[row], regex->groups(), &own);
      if (!problem.empty()) return search.Fail(row, CannotReplace(rewrites[row], problem));
      ReplaceMatches(row, texts[row], own, global, &search, out);
    };
    return search.Finish(BuildTexts(rows, std::move(nulls), TotalBytes(*args[0], rows), write));
  }
};

Result<Kernel> MakeReplace(const CallSite& site) {
  Replacement replacement;
  replacement.regex = MUTIRAO_TRY(CompileConstant(site));
  std::string storage;
  if (site.constants.size() == 4) {
    const std::string* flags = ConstantText(site, 3, &storage);
    if (flags == nullptr || (*flags != "" && *flags != "g"))
      return Status::Invalid("the flags must be '' or 'g' (replace every match, not only the first)");
    replacement.global = *flags == "g";
  }
  if (!replacement.regex) return GiveNulls(site);
  if (const std::string* text = ConstantText(site, 2, &storage)) {
    std::string problem = ParseRewrite(*text, replacement.regex->groups(), &replacement.rewrite.emplace());
    if (!problem.empty()) return Status::Invalid(CannotReplace(*text, problem));
  }
  return Kernel([replacement](const std::vector<ArrayPtr>& args, int64_t rows) { return replacement.Run(args, rows); });
}

Result<Kernel> MakeExtract(const CallSite& site) {
  auto regex = MUTIRAO_TRY(CompileConstant(site));
  int64_t group = 0;
  if (site.constants.size() == 3) {
    if (!site.constants[2] || !site.constants[2]->is_valid)
      return Status::Invalid("the group must be a constant number");
    group = static_cast<const arrow::Int64Scalar&>(*site.constants[2]).value;
  }
  if (!regex) return GiveNulls(site);
  if (group < 0 || group > regex->groups()) {
    return Status::Invalid(
        fmt::format("the pattern has {} groups, group {} is not among them", regex->groups(), group));
  }
  return Kernel([regex, group = static_cast<int>(group)](const std::vector<ArrayPtr>& args, int64_t rows) {
    BatchSearch search(*regex);
    return search.Finish(CutTexts(args, rows, [&](int64_t row, std::string_view text) -> std::string_view {
      return search.Find(row, text) ? search.found().group(group) : std::string_view();
    }));
  });
}

}  // namespace

void AddRegularExpressions(std::vector<FunctionDef>* functions) {
  auto text = arrow::utf8();
  functions->push_back({.name = "regexp_matches",
                        .signatures = {"regexp_matches(text string, pattern string) → bool"},
                        .summary = "Say whether a regular expression (Perl syntax) matches anywhere in a text.",
                        .examples = {{"regexp_matches('ab12', '[0-9]+')", "true"}},
                        .resolve = Takes({text, text}, arrow::boolean()),
                        .make_kernel = MakeMatches});
  functions->push_back(
      {.name = "regexp_replace",
       .signatures = {"regexp_replace(text string, pattern string, with string) → string",
                      "regexp_replace(text string, pattern string, with string, flags string) → string"},
       .summary =
           "Replace the first match of a regular expression, or every one with the flag 'g'; \\1 is the first group.",
       .examples = {{"regexp_replace('a  b  c', ' +', ' ', 'g')", "'a b c'"}},
       .resolve = Takes({text, text, text, text}, text, 1),
       .make_kernel = MakeReplace});
  functions->push_back(
      {.name = "regexp_extract",
       .signatures = {"regexp_extract(text string, pattern string) → string",
                      "regexp_extract(text string, pattern string, group int64) → string"},
       .summary = "Give what a regular expression, or one of its groups, matches; empty when it does not.",
       .examples = {{"regexp_extract('KM 03', '([0-9]+)', 1)", "'03'"}},
       .resolve = Takes({text, text, arrow::int64()}, text, 1),
       .make_kernel = MakeExtract});
}

}  // namespace mutirao::frame
