#include "base/log.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/base64.h"

namespace mutirao {
namespace {

std::string MaskInPieces(const Redactor& redactor, std::string_view text, size_t piece) {
  std::string masked;
  MaskedStream stream([&](std::string_view bytes) { masked += bytes; }, redactor);
  for (size_t at = 0; at < text.size(); at += piece) stream.Add(text.substr(at, piece));
  stream.Finish();
  return masked;
}

TEST(Redactor, MasksEncodedForms) {
  Redactor redactor;
  redactor.Add("p@ss w\"rd/+1");
  for (const char* text : {"p@ss w\"rd/+1", "p%40ss%20w%22rd%2F%2B1", "p%40ss+w%22rd%2f%2b1", "p@ss w\\\"rd/+1"}) {
    EXPECT_EQ(redactor.Mask(std::string("<") + text + ">"), "<***>") << text;
  }
  for (const char* before : {"", "a", "ab", "user:"}) {
    std::string header = "Basic " + Base64Encode(std::string(before) + "p@ss w\"rd/+1" + "tail");
    std::string masked = redactor.Mask(header);
    EXPECT_NE(masked.find("***"), std::string::npos) << before;
    EXPECT_LT(masked.size(), header.size() - 8) << before;
  }
  EXPECT_EQ(redactor.Mask("nothing here"), "nothing here");
}

TEST(Redactor, IgnoresShortValues) {
  Redactor redactor;
  redactor.Add("abc");
  EXPECT_EQ(redactor.Mask("abc YWJj"), "abc YWJj");
}

TEST(MaskedStream, HoldsBackOnlyWhatMayBecomeASecret) {
  Redactor redactor;
  redactor.Add("secret-one");
  std::string out;
  MaskedStream stream([&](std::string_view bytes) { out += bytes; }, redactor);
  stream.Add("a line\n");
  EXPECT_EQ(out, "a line\n");
  stream.Add("it is sec");
  EXPECT_EQ(out, "a line\nit is ");
  stream.Add("ond");
  EXPECT_EQ(out, "a line\nit is second");
  stream.Add(" secret-");
  stream.Finish();
  EXPECT_EQ(out, "a line\nit is second secret-");
}

TEST(MaskedStream, MasksTheLongerOfTwoThatBeginAlike) {
  Redactor redactor;
  redactor.Add("abcd");
  redactor.Add("abcdefgh");
  redactor.Add("cabcabc");
  for (size_t piece : {1, 2, 3, 5, 100}) {
    EXPECT_EQ(MaskInPieces(redactor, "xabcdefghx abcdx", piece), "x***x ***x") << piece;
    EXPECT_EQ(MaskInPieces(redactor, "cabcabc", piece), "***") << piece;
  }
}

RC_GTEST_PROP(MaskedStream, NeverShowsASecret, ()) {
  Redactor redactor;
  redactor.Add("abab");
  redactor.Add("babaab");
  const auto text = *rc::gen::container<std::string>(rc::gen::element('a', 'b', 'c'));
  const auto piece = *rc::gen::inRange<size_t>(1, 8);
  const std::string masked = MaskInPieces(redactor, text, piece);
  RC_ASSERT(masked.find("abab") == std::string::npos);
  RC_ASSERT(masked.find("babaab") == std::string::npos);
}

}  // namespace
}  // namespace mutirao
