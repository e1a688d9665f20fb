// A module with a resource and two ops that share it: a folder for intermediate files, made when the first op needs it
// and gone when the last has ended, also when the process that made it was killed.

#include <filesystem>
#include <fstream>
#include <string>

#include <mutirao/mutirao.h>

namespace mt = mutirao;
namespace fs = std::filesystem;

namespace {

class Scratch : public mt::Handle {
 public:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }
  std::string Facts() const override { return R"({"path": ")" + path_ + "\"}"; }

 private:
  const std::string path_;
};

class ScratchType : public mt::ResourceType {
 public:
  mt::Result<std::shared_ptr<mt::Handle>> Acquire(mt::ResourceContext& ctx) override {
    std::string parent = MUTIRAO_TRY(ctx.ConfigText("parent"));
    const std::string path = fs::absolute(ctx.project_root() + "/" + parent + "/" + ctx.lease()).string();
    // The name is known before the folder exists, so nothing can be left that nobody knows of.
    MUTIRAO_TRY(ctx.Hold("\"" + path + "\""));
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return mt::Status::Io("cannot make " + path + ": " + error.message());
    ctx.Report("made " + path);
    return std::shared_ptr<mt::Handle>(std::make_shared<Scratch>(path));
  }

  mt::Status Release(mt::Handle& handle, mt::Outcome outcome) override {
    const std::string& path = static_cast<Scratch&>(handle).path();
    if (outcome == mt::Outcome::kFailed && fs::exists(path + "/keep")) return mt::Status::Ok();
    return Remove(path);
  }

  bool OwnsOutside() const override { return true; }

  mt::Status Reap(const std::string& /*lease*/, const std::string& handle_json) override {
    if (handle_json.size() < 2) return mt::Status::Ok();
    return Remove(handle_json.substr(1, handle_json.size() - 2));
  }

 private:
  static mt::Status Remove(const std::string& path) {
    std::error_code error;
    fs::remove_all(path, error);
    return error ? mt::Status::Io("cannot remove " + path + ": " + error.message()) : mt::Status::Ok();
  }
};

}  // namespace

MUTIRAO_RESOURCE(scratch, ScratchType);

MUTIRAO_OP(write_numbers) {
  Scratch* scratch = MUTIRAO_TRY(ctx.resource<Scratch>("tmp"));
  int64_t count = MUTIRAO_TRY(ctx.ConfigInteger("count"));
  std::ofstream file(scratch->path() + "/numbers.csv");
  file << "n\n";
  for (int64_t i = 1; i <= count; ++i) file << i << "\n";
  ctx.SetOutput("count", count);
  return mt::Status::Ok();
}

MUTIRAO_OP(sum_numbers) {
  Scratch* scratch = MUTIRAO_TRY(ctx.resource<Scratch>("tmp"));
  std::string count = MUTIRAO_TRY(ctx.InputJson("count"));
  mt::CsvOptions options;
  options.types = {{"n", "int64"}};
  auto table = MUTIRAO_TRY(mt::ReadCsv(scratch->path() + "/numbers.csv", options)
                               .Aggregate({}, {{"total", mt::Sum(mt::Col("n"))}})
                               .Collect());
  ctx.Log("the sum of the first " + count + " numbers is " + *table.Text(0, "total"));
  ctx.SetOutput("total", *table.Integer(0, "total"));
  return mt::Status::Ok();
}
