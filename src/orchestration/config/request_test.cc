#include "orchestration/config/request.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace mutirao::orchestration {
namespace {

TEST(StoreRequest, GivesBackWhatWasAsked) {
  LaunchRequest request{.job = "sales", .params = {"uf=SP"}, .settings = {"ops.load.config.n=1"}, .memory = "2GiB"};
  request.layers = {{.origin = "schedule monthly", .values = {{"params", {{"month", "2026-01"}}}}}};
  std::vector<ConfigFault> faults;
  Result<StoredRequest> stored = StoreRequest(request, {"load+"}, true, faults);
  ASSERT_TRUE(stored.ok()) << stored.status().ToString();
  EXPECT_TRUE(stored->masked.empty());
  EXPECT_EQ(OnlyOf(stored->json), std::vector<std::string>{"load+"});
  EXPECT_TRUE(FromFailure(stored->json));

  Result<LaunchRequest> read = ReadStoredRequest(stored->json, "/p/jobs/sales.yaml", "/p", {});
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->job, "/p/jobs/sales.yaml");
  EXPECT_EQ(read->folder, "/p");
  EXPECT_EQ(read->params, request.params);
  EXPECT_EQ(read->settings, request.settings);
  EXPECT_EQ(read->memory, "2GiB");
  ASSERT_EQ(read->layers.size(), 1U);
  EXPECT_EQ(read->layers[0].origin, "schedule monthly");
  EXPECT_EQ(read->layers[0].values, request.layers[0].values);
}

TEST(StoreRequest, HoldsWhatConfigFilesSay) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "request_test.yaml";
  std::ofstream(path) << "params: {uf: RJ}\n";
  std::vector<ConfigFault> faults;
  Result<StoredRequest> stored = StoreRequest({.config_files = {path.string()}}, {}, false, faults);
  std::filesystem::remove(path);
  ASSERT_TRUE(stored.ok()) << stored.status().ToString();
  EXPECT_EQ(stored->json["config"][0]["values"]["params"]["uf"], "RJ");
  EXPECT_EQ(StoreRequest({.config_files = {path.string()}}, {}, false, faults).status().code(), StatusCode::kNotFound);
}

TEST(StoreRequest, KeepsNoSecret) {
  LaunchRequest request{.params = {"api_token=canary1", "uf=SP"}, .settings = {"resources.db.config.password=canary2"}};
  request.layers = {{.values = {{"resources", {{"db", {{"config", {{"password", "canary3"}}}}}}}}},
                    {.values = {{"params", {{"password", {{"env", "NAME"}}}}}}}};
  std::vector<ConfigFault> faults;
  Result<StoredRequest> stored = StoreRequest(request, {}, false, faults);
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->json.dump().find("canary"), std::string::npos) << stored->json.dump();
  EXPECT_EQ(stored->masked,
            (std::vector<std::string>{"api_token", "resources.db.config.password", "resources.db.config.password"}));
  EXPECT_NE(stored->json.dump().find("NAME"), std::string::npos);
  // What is lost cannot be run again.
  EXPECT_EQ(ReadStoredRequest(stored->json, "j", "/p", {}).status().code(), StatusCode::kInvalid);
}

TEST(ReadStoredRequest, RefusesWhatIsNone) {
  for (const char* text : {"[]", R"({"config": 1})", R"({"config": [1]})", R"({"config": [{"values": 1}]})"}) {
    EXPECT_EQ(ReadStoredRequest(Json::parse(text), "j", "/p", {}).status().code(), StatusCode::kInvalid) << text;
  }
}

}  // namespace
}  // namespace mutirao::orchestration
