#include "base/elf_platform.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mutirao {
namespace {

std::string FileOf(const std::string& bytes) {
  const std::string path = std::filesystem::temp_directory_path() / ("mutirao-elf-" + std::to_string(getpid()));
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string OwnProgram() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {}).substr(0, 4096);
}

TEST(ElfPlatform, ThisProgramWasBuiltForThisMachine) {
  EXPECT_EQ(*PlatformOfLibrary("/proc/self/exe"), OwnPlatform());
}

TEST(ElfPlatform, NamesOtherMachines) {
  std::string bytes = OwnProgram();
  bytes[18] = static_cast<char>(183);
  bytes[19] = 0;
  EXPECT_EQ(*PlatformOfLibrary(FileOf(bytes)), "linux-aarch64");
  bytes[18] = 1;
  const std::string path = FileOf(bytes);
  EXPECT_EQ(*PlatformOfLibrary(path), "linux-machine1");
  std::filesystem::remove(path);
}

TEST(ElfPlatform, RefusesWhatIsNoLibrary) {
  EXPECT_EQ(PlatformOfLibrary("/nowhere/libx.so").status().code(), StatusCode::kNotFound);
  for (const std::string& bytes : {std::string(), std::string("\x7f") + "ELF", std::string(100, 'x')}) {
    const std::string path = FileOf(bytes);
    EXPECT_THAT(PlatformOfLibrary(path).status().ToString(), testing::HasSubstr("is no library"));
    std::filesystem::remove(path);
  }
}

}  // namespace
}  // namespace mutirao
