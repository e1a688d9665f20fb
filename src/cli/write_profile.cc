#include "cli/write_profile.h"

#include <filesystem>

#include <fmt/format.h>

namespace mutirao::cli {

Result<std::string> MakeProfileFolder(const orchestration::LoadedJob& job, const std::string& flag) {
  if (flag.empty()) return std::string();
  const std::string folder = flag == kProfileFolder ? runner::RunProfile::DefaultFolder(job) : flag;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return folder;
  return Status::Invalid(fmt::format("cannot make the folder of the profile: {}: {}", folder, error.message()))
      .Help("choose another one with --profile=DIR");
}

void WriteProfile(const Terminal& terminal, const runner::RunProfile& profile, const std::string& folder,
                  const Json& run) {
  Result<runner::RunProfile::Paths> written = profile.Write(folder, run);
  if (!written.ok()) return terminal.Warn(written.status().ToString());
  terminal.Say(fmt::format("profile in {}, timeline in {} (open it in https://ui.perfetto.dev)",
                           std::filesystem::proximate(written->profile).string(),
                           std::filesystem::proximate(written->trace).string()));
}

}  // namespace mutirao::cli
