#include "base/diagnostic.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace mutirao {
namespace {

TEST(NearestName, FindsTyposTranspositionsAndPrefixes) {
  const std::vector<std::string> columns = {"cnpj_basico", "razao_social", "situacao_cadastral", "uf"};
  EXPECT_EQ(NearestName("cnpj_basic", columns), "cnpj_basico");
  EXPECT_EQ(NearestName("RAZAO_SOICAL", columns), "razao_social");
  EXPECT_EQ(NearestName("situacao", columns), "situacao_cadastral");
  EXPECT_EQ(NearestName("fu", columns), "uf");
  EXPECT_EQ(NearestName("something_else", columns), "");
}

TEST(Diagnostics, ListsEverythingAtOnce) {
  Diagnostics errors;
  EXPECT_TRUE(errors.ToStatus().ok());
  errors.Add("/ops/load", "no body");
  errors.Add({.message = "unknown key \"reed\"",
              .pointer = "/ops/load/reed",
              .at_key = true,
              .help = "did you mean \"read\"?"});
  EXPECT_EQ(errors.ToStatus().message(),
            "at /ops/load: no body\nat /ops/load/reed: unknown key \"reed\"; did you mean \"read\"?");
}

TEST(Json, RefusesDeepNestingAndSaysWhereItIsWrong) {
  EXPECT_FALSE(ParseJson(std::string(1000, '[')).ok());
  EXPECT_FALSE(ParseJson(std::string(1000, '[') + std::string(1000, ']')).ok());
  EXPECT_EQ(ParseJson("{\"a\": 1,\n \"b\": }").status().message(), "not valid JSON at line 2, column 7");
  EXPECT_EQ(PointerJoin("/a", "b/c~d"), "/a/b~1c~0d");
}

}  // namespace
}  // namespace mutirao
