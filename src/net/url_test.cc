#include "net/url.h"

#include <gtest/gtest.h>

namespace mutirao::net {
namespace {

TEST(ParseUrl, TakesApart) {
  const Url url = ParseUrl("HTTPS://Chat.Example:8443/a/secret?token=x").value();
  EXPECT_EQ(url.host, "chat.example");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.Origin(), "https://chat.example:8443");
  EXPECT_EQ(ParseUrl("http://a")->port, 80);
  EXPECT_EQ(ParseUrl("https://a")->Origin(), "https://a");
  EXPECT_EQ(ParseUrl("http://[::1]:8080/x")->host, "::1");
  EXPECT_EQ(ParseUrl("http://[::1]:8080/x")->Origin(), "http://[::1]:8080");
  EXPECT_TRUE(ParseUrl("https://u:p@a/")->has_password);
  EXPECT_EQ(ParseUrl("https://good.example\\@evil.example/")->host, "good.example");
}

TEST(ParseUrl, RefusesTheRest) {
  for (const char* text :
       {"", "a", "ftp://a", "file:///etc/passwd", "http://", "http://:80", "http://a:0", "http://a:x", "http://a:99999",
        "http://a b", "http://a\r\nX: y", "http://[::1", "http://[::1]x", "http://$(a)"}) {
    EXPECT_EQ(ParseUrl(text).status().code(), StatusCode::kInvalid) << text;
  }
  EXPECT_EQ(ParseUrl("ftp://canary").status().ToString().find("canary"), std::string::npos);
}

}  // namespace
}  // namespace mutirao::net
