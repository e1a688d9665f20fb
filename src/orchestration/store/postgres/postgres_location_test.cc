#include "orchestration/store/postgres/postgres_location.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"

namespace mutirao::orchestration {
namespace {

TEST(PostgresLocation, TakesUrisAndWords) {
  EXPECT_TRUE(IsPostgresLocation("postgres://h/d"));
  EXPECT_FALSE(IsPostgresLocation("sqlite:postgresql:"));
  EXPECT_EQ(MUTIRAO_MUST(ParsePostgresLocation("postgresql://u@h:5432/d")), "postgresql://u@h:5432/d");
  EXPECT_EQ(MUTIRAO_MUST(ParsePostgresLocation("postgres://u@a:1,b:2/d")), "postgres://u@a:1,b:2/d");
  EXPECT_EQ(MUTIRAO_MUST(ParsePostgresLocation("postgresql:host=/run user=u")), "host=/run user=u");
}

TEST(PostgresLocation, MasksThePassword) {
  MUTIRAO_MUST(ParsePostgresLocation("postgresql://u:p%40ss-of-location@h/d"));
  EXPECT_EQ(Redactor::Global().Mask("it is p@ss-of-location"), "it is ***");
}

// A password with a character that should have been escaped ends up where other parts are expected.
TEST(PostgresLocation, NeverRepeatsWhatMayBeAPassword) {
  for (const char* uri :
       {"postgresql://u:hush/hush@h/d", "postgresql://u:hush@hush@h/d", "postgresql://u:hu#hush:1@h/d",
        "postgresql:password=hush hush", "postgresql:passwort=hush", "postgresql://u:%hush@h/d"}) {
    Result<std::string> parsed = ParsePostgresLocation(uri);
    if (parsed.ok()) continue;  // libpq may understand it
    EXPECT_EQ(parsed.status().code(), StatusCode::kInvalid) << uri;
    EXPECT_THAT(parsed.status().ToString(), testing::Not(testing::HasSubstr("hush"))) << uri;
    EXPECT_THAT(parsed.status().help(), testing::Not(testing::HasSubstr("hush"))) << uri;
  }
  EXPECT_FALSE(ParsePostgresLocation("postgresql://u:hush/hush@h/d").ok());
  EXPECT_FALSE(ParsePostgresLocation("postgresql://u:hush@hush@h/d").ok());
  EXPECT_FALSE(ParsePostgresLocation("postgresql:passwort=hush").ok());
}

}  // namespace
}  // namespace mutirao::orchestration
