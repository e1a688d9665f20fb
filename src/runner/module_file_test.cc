#include "runner/module_file.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/id.h"

namespace mutirao::runner {
namespace {

namespace fs = std::filesystem;

class ModuleFile : public testing::Test {
 protected:
  ModuleFile() { fs::create_directories(folder_); }
  ~ModuleFile() override { fs::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& content) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << content;
    return path;
  }

  const std::string folder_ = (fs::temp_directory_path() / ("mutirao-module-file-" + MakeRunId())).string();
};

// As python/mutirao/dask/modules.py names them: sha256 of "abc".
constexpr const char* kHash = "ba7816bf8f01cfea414140de5dae2223b00361a3";

TEST_F(ModuleFile, IsFoundByItsContent) {
  const std::string path = Write("libnames.so", "abc");
  EXPECT_EQ(MUTIRAO_MUST(ContentHash(path)), kHash);
  Write("notes.txt", "abc");
  EXPECT_EQ(MUTIRAO_MUST(FindModuleFile(folder_, kHash)), path);
  const std::string named = Write(std::string(kHash) + ".so", "what a worker got");
  EXPECT_EQ(MUTIRAO_MUST(FindModuleFile(folder_, kHash)), named);
}

TEST_F(ModuleFile, IsNotFoundByAnythingElse) {
  Write("libnames.so", "abd");
  EXPECT_EQ(FindModuleFile(folder_, kHash).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(FindModuleFile(folder_ + "/none", kHash).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(FindModuleFile("", kHash).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(FindModuleFile(folder_, "").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(FindModuleFile(folder_, "../libnames").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(ContentHash(folder_ + "/none.so").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace mutirao::runner
