#include "storage/storage.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/glob.h"
#include "storage/local_path.h"
#include "storage/user_rights_test_support.h"

namespace mutirao::storage {
namespace {

namespace fs = std::filesystem;

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/mutirao-store-XXXXXX";
    dir_ = mkdtemp(name);
  }
  void TearDown() override { fs::remove_all(dir_); }

  void Put(const std::string& name, const std::string& content = "x") {
    fs::create_directories(fs::path(dir_ + "/" + name).parent_path());
    std::ofstream(dir_ + "/" + name) << content;
  }

  std::vector<std::string> Names(const std::string& pattern) {
    auto listed = (*StoreFor(dir_))->List(dir_ + "/" + pattern);
    if (!listed.ok()) return {"error: " + listed.status().ToString()};
    std::vector<std::string> names;
    for (const auto& info : *listed) names.push_back(info.uri.substr(dir_.size() + 1));
    return names;
  }

  Status Failure(const std::string& pattern) { return (*StoreFor(dir_))->List(dir_ + "/" + pattern).status(); }

  std::string dir_;
};

using Strings = std::vector<std::string>;

TEST_F(StoreTest, ListsGlobsSortedWithoutFolders) {
  for (const char* name : {"b2.csv", "a1.csv", "a2.zip", "sub/c.csv", "sub/deep/d.csv", ".hid.csv", "_x/e.csv"})
    Put(name);
  EXPECT_EQ(Names("*.csv"), (Strings{"a1.csv", "b2.csv"}));
  EXPECT_EQ(Names("{a,b}?.{csv,zip}"), (Strings{"a1.csv", "a2.zip", "b2.csv"}));
  EXPECT_EQ(Names("[a-a]*"), (Strings{"a1.csv", "a2.zip"}));
  EXPECT_EQ(Names("[!a]*.csv"), (Strings{"b2.csv"}));
  EXPECT_EQ(Names("**/*.csv"), (Strings{"a1.csv", "b2.csv", "sub/c.csv", "sub/deep/d.csv"}));
  EXPECT_EQ(Names("sub/**"), (Strings{"sub/c.csv", "sub/deep/d.csv"}));
  EXPECT_EQ(Names("*/c.csv"), (Strings{"sub/c.csv"}));
  EXPECT_EQ(Names("{a1.csv,a1.csv,*1.csv}"), (Strings{"a1.csv"}));
}

TEST_F(StoreTest, FolderGivesItsVisibleFilesAtAnyDepth) {
  for (const char* name : {"d/a.parquet", "d/uf=SP/b.parquet", "d/_SUCCESS", "d/.crc", "d/.t/c.parquet"}) Put(name);
  EXPECT_EQ(Names("d"), (Strings{"d/a.parquet", "d/uf=SP/b.parquet"}));
  EXPECT_EQ(Names("d/"), (Strings{"d/a.parquet", "d/uf=SP/b.parquet"}));
}

TEST_F(StoreTest, ExistingNameIsTakenLiterally) {
  Put("x[1].csv");
  Put("x1.csv");
  EXPECT_EQ(Names("x[1].csv"), (Strings{"x[1].csv"}));
}

TEST_F(StoreTest, LinkLoopEnds) {
  Put("d/a.csv");
  fs::create_directory_symlink("..", dir_ + "/d/up");
  EXPECT_EQ(Names("d/**/a.csv"), (Strings{"d/a.csv", "d/up/d/a.csv"}));
  EXPECT_EQ(Names("d"), (Strings{"d/a.csv"}));
}

TEST_F(StoreTest, MissingNamesSayWhatIsNear) {
  Put("data/Empresas0.zip");
  EXPECT_EQ(Failure("data/Empreas0.zip").code(), StatusCode::kNotFound);
  EXPECT_THAT(Failure("data/Empreas0.zip").help(), testing::HasSubstr("data/Empresas0.zip"));
  EXPECT_THAT(Failure("dta/Empresas0.zip").help(), testing::HasSubstr("/data\""));
  EXPECT_THAT(Failure("data/Socios*.zip").help(), testing::HasSubstr("Empresas0.zip"));
  EXPECT_THAT(Failure("dat/*.zip").help(), testing::HasSubstr("did you mean"));
  EXPECT_THAT(Failure("d*").help(), testing::HasSubstr("/**"));
  EXPECT_EQ(Failure("{a").code(), StatusCode::kInvalid);
  EXPECT_EQ((*StoreFor(""))->List("").status().code(), StatusCode::kInvalid);
}

TEST_F(StoreTest, EmptyFolderIsNotFound) {
  fs::create_directory(dir_ + "/empty");
  EXPECT_EQ(Failure("empty").code(), StatusCode::kNotFound);
}

TEST_F(StoreTest, ReadsAnywhereAndMaps) {
  Put("a", "hello world");
  auto object = std::move((*StoreFor(dir_))->Open("file://" + dir_ + "/a")).value();
  EXPECT_EQ(object->size(), 11);
  char text[8] = {};
  EXPECT_EQ(*object->ReadAt(6, std::as_writable_bytes(std::span(text))), 5);
  EXPECT_STREQ(text, "world");
  EXPECT_EQ(*object->ReadAt(20, std::as_writable_bytes(std::span(text))), 0);
  ASSERT_EQ(object->Mapped().size(), 11u);
  EXPECT_EQ(std::memcmp(object->Mapped().data(), "hello world", 11), 0);
}

// Whether the first pages of a file are in the page cache once all of it was read.
bool StaysInCache(const std::string& path, Reading reading) {
  constexpr int64_t kStep = int64_t{1} << 20;
  auto object = MUTIRAO_MUST((*StoreFor(path))->Open(path, reading));
  std::vector<std::byte> buffer(kStep);
  for (int64_t at = 0; at < object->size(); at += kStep) EXPECT_EQ(MUTIRAO_MUST(object->ReadAt(at, buffer)), kStep);
  unsigned char resident = 0;
  void* const begin = const_cast<std::byte*>(object->Mapped().data());
  EXPECT_EQ(mincore(begin, 1, &resident), 0);
  return (resident & 1) != 0;
}

TEST_F(StoreTest, WhatNeedNotStayLeavesThePageCache) {
  struct statfs place {};
  ASSERT_EQ(statfs(dir_.c_str(), &place), 0);
  constexpr decltype(place.f_type) kTmpfs = 0x01021994;
  if (place.f_type == kTmpfs) GTEST_SKIP() << "what is in a tmpfs stays in memory";
  Put("large", "");
  fs::resize_file(dir_ + "/large", uintmax_t{160} << 20);  // with holes, which take no place on disk
  EXPECT_TRUE(StaysInCache(dir_ + "/large", {}));
  EXPECT_TRUE(StaysInCache(dir_ + "/large", {.cached_share = 0.1}));
  EXPECT_FALSE(StaysInCache(dir_ + "/large", {.cached_share = 0}));
}

TEST_F(StoreTest, VersionTellsThatAFileChanged) {
  Put("a", "hello world");
  const Store& store = **StoreFor(dir_);
  const std::string before = MUTIRAO_MUST(store.List(dir_ + "/a")).front().version;
  EXPECT_EQ(MUTIRAO_MUST(store.List(dir_ + "/a")).front().version, before);
  std::ofstream(dir_ + "/a", std::ios::app) << "!";
  EXPECT_NE(MUTIRAO_MUST(store.List(dir_ + "/a")).front().version, before);
}

TEST_F(StoreTest, EmptyFileMapsToNothing) {
  Put("a", "");
  auto object = std::move((*StoreFor(dir_))->Open(dir_ + "/a")).value();
  EXPECT_EQ(object->size(), 0);
  EXPECT_TRUE(object->Mapped().empty());
}

TEST_F(StoreTest, WhatIsNoFileIsRefused) {
  ASSERT_EQ(mkfifo((dir_ + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ((*StoreFor(dir_))->Open(dir_ + "/pipe").status().code(), StatusCode::kInvalid);
  EXPECT_EQ((*StoreFor(dir_))->Open(dir_).status().code(), StatusCode::kInvalid);
  EXPECT_EQ(Failure("pipe").code(), StatusCode::kInvalid);
  EXPECT_EQ((*StoreFor(dir_))->Open(dir_ + "/gone").status().code(), StatusCode::kNotFound);
}

TEST_F(StoreTest, UnreadableFolderIsAnError) {
  Put("d/a.csv");
  chmod((dir_ + "/d").c_str(), 0);
  const WithoutRootsRights user;
  EXPECT_EQ(Failure("d/*.csv").code(), StatusCode::kIo);
  chmod((dir_ + "/d").c_str(), 0700);
}

TEST(StoreFor, SaysWhichSchemesExist) {
  EXPECT_EQ(StoreFor("s3://b/x").status().code(), StatusCode::kUnsupported);
  EXPECT_THAT(StoreFor("s3://b/x").status().help(), testing::HasSubstr("file:"));
  EXPECT_TRUE(StoreFor("a:b.csv").ok());
  EXPECT_EQ(*LocalPath("file:///a%20b"), "/a b");
  EXPECT_EQ(*LocalPath("file:/a"), "/a");
  EXPECT_EQ(*LocalPath("file://localhost/a"), "/a");
  EXPECT_EQ(LocalPath("file://other/a").status().code(), StatusCode::kInvalid);
}

TEST(ResolvePath, KeepsAbsolutePathsAndUris) {
  EXPECT_EQ(ResolvePath("/b", "x/y"), "/b/x/y");
  EXPECT_EQ(ResolvePath("/b/", "x"), "/b/x");
  EXPECT_EQ(ResolvePath("/b", "/x"), "/x");
  EXPECT_EQ(ResolvePath("/b", "s3://b/x"), "s3://b/x");
  EXPECT_EQ(ResolvePath("", "x"), "x");
}

TEST(Glob, MatchesSegments) {
  struct Case {
    const char *pattern, *name;
    bool matches;
  };
  for (const Case& c : {Case{"*", "a", true},
                        {"*", ".a", false},
                        {".*", ".a", true},
                        {"a*b*c", "aXbYbc", true},
                        {"a*b*c", "aXbYb", false},
                        {"?", "é", true},
                        {"??", "é", false},
                        {"[]]", "]", true},
                        {"[", "[", true},
                        {"[a-", "[a-", true},
                        {"[a-c]x", "bx", true},
                        {"[^a-c]x", "bx", false},
                        {"*.zip", ".zip", false},
                        {"a", "a", true},
                        {"a", "ab", false},
                        {"**", "ab", true}}) {
    EXPECT_EQ(MatchSegment(c.pattern, c.name), c.matches) << c.pattern << " " << c.name;
  }
}

TEST(Glob, ExpandsNestedBraces) {
  EXPECT_EQ(*ExpandBraces("x{1,{2,3}}y"), (Strings{"x1y", "x2y", "x3y"}));
  EXPECT_EQ(*ExpandBraces("{,a}"), (Strings{"", "a"}));
  EXPECT_FALSE(ExpandBraces("{a").ok());
}

}  // namespace
}  // namespace mutirao::storage
