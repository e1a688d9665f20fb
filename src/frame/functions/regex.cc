#include "frame/functions/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <fmt/format.h>

#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

// Steps that a search in one text may take: some tenths of a second. PCRE2 itself would give up after ten times more.
constexpr uint32_t kMatchLimit = 1'000'000;
constexpr size_t kFirstStack = 32 << 10;
constexpr size_t kLargestStack = 1 << 20;

std::string ErrorText(int code) {
  PCRE2_UCHAR text[256];
  pcre2_get_error_message(code, text, sizeof(text));
  return reinterpret_cast<const char*>(text);
}

}  // namespace

Result<RegexPtr> Regex::Compile(std::string_view pattern) {
  // Texts that are not UTF-8 are searched too: nothing matches across their wrong bytes.
  constexpr uint32_t kOptions = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY;
  std::shared_ptr<Regex> regex(new Regex);
  regex->pattern_ = pattern;
  auto* context = pcre2_compile_context_create(nullptr);
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), kOptions, &error, &offset, context);
  pcre2_compile_context_free(context);
  if (code == nullptr) {
    return Status::Invalid(
        fmt::format("{} is not a regular expression: {} at character {}", ShowText(pattern), ErrorText(error), offset));
  }
  regex->code_ = code;
  // Where machine code cannot be made, the pattern is interpreted.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  uint32_t groups = 0;
  pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
  regex->groups_ = static_cast<int>(groups);
  return RegexPtr(std::move(regex));
}

Regex::~Regex() {
  pcre2_code_free(static_cast<pcre2_code*>(code_));
}

RegexSearch::RegexSearch(const Regex& regex) : regex_(regex) {
  auto* match = pcre2_match_data_create_from_pattern(static_cast<const pcre2_code*>(regex.code_), nullptr);
  auto* context = pcre2_match_context_create(nullptr);
  auto* stack = pcre2_jit_stack_create(kFirstStack, kLargestStack, nullptr);
  pcre2_set_match_limit(context, kMatchLimit);
  pcre2_jit_stack_assign(context, nullptr, stack);
  ends_ = pcre2_get_ovector_pointer(match);
  match_ = match;
  context_ = context;
  stack_ = stack;
}

RegexSearch::~RegexSearch() {
  pcre2_match_data_free(static_cast<pcre2_match_data*>(match_));
  pcre2_match_context_free(static_cast<pcre2_match_context*>(context_));
  pcre2_jit_stack_free(static_cast<pcre2_jit_stack*>(stack_));
}

bool RegexSearch::Find(std::string_view text, size_t start) {
  // An empty view may have no address.
  text_ = text.data() == nullptr ? std::string_view("") : text;
  code_ = pcre2_match(static_cast<const pcre2_code*>(regex_.code_), reinterpret_cast<PCRE2_SPTR>(text_.data()),
                      text_.size(), start, 0, static_cast<pcre2_match_data*>(match_),
                      static_cast<pcre2_match_context*>(context_));
  failed_ = code_ < 0 && code_ != PCRE2_ERROR_NOMATCH;
  return code_ > 0;
}

std::string_view RegexSearch::group(int index) const {
  size_t first = ends_[2 * index];
  // A group behind the last one that took part has no place set.
  if (index >= code_ || first == PCRE2_UNSET) return {};
  return text_.substr(first, ends_[2 * index + 1] - first);
}

size_t RegexSearch::begin() const {
  return ends_[0];
}

size_t RegexSearch::end() const {
  return ends_[1];
}

std::string RegexSearch::FailureText() const {
  return fmt::format(
      "searching {} for the pattern {} takes too many steps ({}); write the pattern with fewer nested "
      "repetitions",
      ShowText(text_), ShowText(regex_.pattern()), ErrorText(code_));
}

}  // namespace mutirao::frame
