#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "frame/functions/families.h"
#include "frame/functions/text_map.h"

namespace mutirao::frame {
namespace {

// Numbers of Brazil's registers: CNPJ (companies; since July 2026 with letters, IN RFB 2.229/2024) and CPF (people).

// Collects the significant characters of a number written with or without its punctuation; false when there is
// something else or their count is wrong. Small letters count as capitals.
template <size_t length, bool letters>
bool Compact(std::string_view text, char (&out)[length]) {
  size_t count = 0;
  for (char c : text) {
    if (c == '.' || c == '/' || c == '-') continue;
    if (letters && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    bool good = (c >= '0' && c <= '9') || (letters && c >= 'A' && c <= 'Z');
    if (!good || count == length) return false;
    out[count++] = c;
  }
  return count == length;
}

// Modulo 11 with weights 2 … `cycle`, from the right, over ASCII - 48.
int CheckDigit(const char* text, int length, int cycle) {
  int sum = 0;
  int weight = 2;
  for (int i = length - 1; i >= 0; --i) {
    sum += (text[i] - '0') * weight;
    weight = weight == cycle ? 2 : weight + 1;
  }
  int rest = sum % 11;
  return rest < 2 ? 0 : 11 - rest;
}

bool AllEqual(const char* text, size_t length) {
  for (size_t i = 1; i < length; ++i) {
    if (text[i] != text[0]) return false;
  }
  return true;
}

bool IsCnpj(std::string_view text) {
  char number[14];
  if (!Compact<14, true>(text, number) || AllEqual(number, 14)) return false;
  return CheckDigit(number, 12, 9) == number[12] - '0' && CheckDigit(number, 13, 9) == number[13] - '0';
}

bool IsCpf(std::string_view text) {
  char number[11];
  if (!Compact<11, false>(text, number) || AllEqual(number, 11)) return false;
  return CheckDigit(number, 9, 11) == number[9] - '0' && CheckDigit(number, 10, 11) == number[10] - '0';
}

template <bool (*test)(std::string_view)>
Result<ArrayPtr> TestTexts(const std::vector<ArrayPtr>& args, int64_t rows) {
  auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
  auto null_rows = nulls;
  Texts texts(*args[0]);
  return MapBits(rows, std::move(nulls), [&](int64_t row) { return !null_rows.is_null(row) && test(texts[row]); });
}

// What is no CNPJ by its form stays as it is, so that nothing is lost.
Result<ArrayPtr> FormatCnpj(const std::vector<ArrayPtr>& args, int64_t rows) {
  auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
  Texts texts(*args[0]);
  auto builder = MUTIRAO_TRY(TextBuilder::Make(rows, rows * 18));
  for (int64_t row = 0; row < rows; ++row) {
    std::string_view text = nulls.is_null(row) ? std::string_view() : texts[row];
    char n[14];
    if (!Compact<14, true>(text, n)) {
      builder.Append(text);
      continue;
    }
    char out[18] = {n[0], n[1], '.',  n[2], n[3],  n[4],  '.', n[5],  n[6],
                    n[7], '/',  n[8], n[9], n[10], n[11], '-', n[12], n[13]};
    builder.Append({out, sizeof(out)});
  }
  return builder.Finish(arrow::utf8(), std::move(nulls));
}

}  // namespace

void AddRegisterNumbers(std::vector<FunctionDef>* functions) {
  functions->push_back(
      {.name = "cnpj_valid",
       .signatures = {"cnpj_valid(number string) → bool"},
       .summary = "Check the form and both check digits of a CNPJ, with or without punctuation, also with letters.",
       .examples = {{"cnpj_valid('12.ABC.345/01DE-35')", "true"}, {"cnpj_valid('33683111000281')", "false"}},
       .resolve = Takes({arrow::utf8()}, arrow::boolean()),
       .make_kernel = [](const CallSite&) { return Result<Kernel>(Kernel(TestTexts<IsCnpj>)); }});
  functions->push_back({.name = "cnpj_format",
                        .signatures = {"cnpj_format(number string) → string"},
                        .summary = "Write a CNPJ of 14 characters with its punctuation; other texts stay as they are.",
                        .examples = {{"cnpj_format('33683111000280')", "'33.683.111/0002-80'"}},
                        .resolve = Takes({arrow::utf8()}, arrow::utf8()),
                        .make_kernel = [](const CallSite&) { return Result<Kernel>(Kernel(FormatCnpj)); }});
  functions->push_back({.name = "cpf_valid",
                        .signatures = {"cpf_valid(number string) → bool"},
                        .summary = "Check the form and both check digits of a CPF, with or without punctuation.",
                        .examples = {{"cpf_valid('529.982.247-25')", "true"}, {"cpf_valid('11111111111')", "false"}},
                        .resolve = Takes({arrow::utf8()}, arrow::boolean()),
                        .make_kernel = [](const CallSite&) { return Result<Kernel>(Kernel(TestTexts<IsCpf>)); }});
}

}  // namespace mutirao::frame
