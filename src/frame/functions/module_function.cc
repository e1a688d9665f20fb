#include "frame/functions/module_function.h"

#include <arrow/api.h>
#include <arrow/util/utf8.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/utf8.h"
#include "frame/expr/names.h"
#include "frame/expr/precedence.h"
#include "frame/functions/families.h"
#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

constexpr int32_t kMostParameters = 64;
constexpr int32_t kRowFailed = 1;
constexpr int64_t kMostTextBytes = std::numeric_limits<int32_t>::max();

TypePtr TypeOf(int32_t type) {
  switch (type) {
    case MUTIRAO_BOOL:
      return arrow::boolean();
    case MUTIRAO_INT64:
      return arrow::int64();
    case MUTIRAO_FLOAT64:
      return arrow::float64();
    case MUTIRAO_TEXT:
      return arrow::utf8();
    default:
      return nullptr;
  }
}

Status CheckName(const std::string& name) {
  const bool plain = !name.empty() && PlainNameLength(name) == name.size() && LowerAscii(name) == name;
  if (!plain || !PlainFunctionName(name) || IsReservedWord(name)) {
    return Status::Invalid(fmt::format("\"{}\" is no name that expressions can call", name))
        .Help("functions have names in lower case that are no words of the language");
  }
  if (FindFunction(name) != nullptr) {
    return Status::Invalid(fmt::format("there is a built-in function {}() already", name))
        .Help("give yours another name");
  }
  return Status::Ok();
}

MutiraoArgument ArgumentOf(const arrow::Array& array) {
  MutiraoArgument argument{.values = nullptr,
                           .offsets = nullptr,
                           .valid = array.null_count() == 0 ? nullptr : array.null_bitmap_data(),
                           .first = array.offset(),
                           .step = array.length() == 1 ? 0 : 1};
  const arrow::Buffer* values = array.data()->buffers.back().get();
  const uint8_t* bytes = values == nullptr ? nullptr : values->data();
  if (array.type_id() == arrow::Type::STRING) {
    argument.offsets = static_cast<const arrow::StringArray&>(array).raw_value_offsets();
    argument.values = bytes;
  } else if (array.type_id() == arrow::Type::BOOL) {
    argument.values = bytes;
  } else {
    argument.values = bytes + array.offset() * static_cast<int64_t>(sizeof(int64_t));
  }
  return argument;
}

// What a function writes its rows into.
class Output {
 public:
  static Result<std::unique_ptr<Output>> Make(const TypePtr& type, int64_t rows) {
    auto output = std::unique_ptr<Output>(new Output(type, rows));
    const bool text = type->id() == arrow::Type::STRING;
    output->valid_.resize(static_cast<size_t>(rows));
    output->values_ = MUTIRAO_TRY(arrow::AllocateResizableBuffer(text ? rows * 16 : rows * 8));
    output->result_.valid = output->valid_.data();
    if (text) {
      output->offsets_ = MUTIRAO_TRY(arrow::AllocateBuffer((rows + 1) * static_cast<int64_t>(sizeof(int32_t))));
      output->result_.offsets = reinterpret_cast<int32_t*>(output->offsets_->mutable_data());
      output->result_.offsets[0] = 0;
      output->PlaceText();
    } else {
      output->result_.values = output->values_->mutable_data();
    }
    return output;
  }

  MutiraoResult* result() { return &result_; }

  Result<ArrayPtr> Finish() {
    auto bitmap = MUTIRAO_TRY(MakeBitmap(rows_, false));
    FillBits(bitmap->mutable_data(), rows_, [&](int64_t row) { return valid_[static_cast<size_t>(row)] != 0; });
    Nulls nulls = NullsOf(std::move(bitmap), rows_);
    if (type_->id() == arrow::Type::STRING) return FinishText(std::move(nulls));
    if (type_->id() == arrow::Type::BOOL) {
      const uint8_t* bytes = values_->data();
      return MapBits(rows_, std::move(nulls), [bytes](int64_t row) { return bytes[row] != 0; });
    }
    return MakeFixedArray(type_, rows_, std::move(values_), std::move(nulls));
  }

 private:
  Output(TypePtr type, int64_t rows) : type_(std::move(type)), rows_(rows), result_{} {
    result_.grow = &Grow;
    result_.owner = this;
  }

  static int32_t Grow(MutiraoResult* result, int64_t more) {
    auto& output = *static_cast<Output*>(result->owner);
    if (more < 0 || more > kMostTextBytes - result->used) return 0;
    const int64_t wanted = std::min(kMostTextBytes, std::max(result->used + more, 2 * result->capacity));
    if (!output.values_->Resize(wanted, false).ok()) return 0;
    output.PlaceText();
    return 1;
  }

  void PlaceText() {
    result_.text = reinterpret_cast<char*>(values_->mutable_data());
    result_.capacity = values_->size();
  }

  Result<ArrayPtr> FinishText(Nulls nulls) {
    MUTIRAO_TRY(CheckText());
    MUTIRAO_TRY(values_->Resize(result_.used, true));
    return arrow::MakeArray(
        arrow::ArrayData::Make(type_, rows_, {std::move(nulls.bitmap), offsets_, values_}, nulls.count));
  }

  // All bytes at once; then that no row begins within a character, where an end is the next row's begin.
  Status CheckText() const {
    arrow::util::InitializeUTF8();
    const std::string_view all(result_.text, static_cast<size_t>(result_.used));
    bool good = arrow::util::ValidateUTF8(all);
    for (int64_t row = 0; good && row < rows_; ++row) {
      const auto at = static_cast<size_t>(result_.offsets[row]);
      good = at == all.size() || !IsContinuationByte(all[at]);
    }
    if (good) return Status::Ok();
    for (int64_t row = 0; row < rows_; ++row) {
      const auto begin = static_cast<size_t>(result_.offsets[row]);
      const auto end = static_cast<size_t>(result_.offsets[row + 1]);
      if (!arrow::util::ValidateUTF8(all.substr(begin, end - begin)))
        return RowError(row, "it gave bytes that are not valid UTF-8");
    }
    return Status::Internal("a text is not valid UTF-8");
  }

  const TypePtr type_;
  const int64_t rows_;
  MutiraoResult result_;
  std::vector<uint8_t> valid_;
  std::shared_ptr<arrow::ResizableBuffer> values_;
  std::shared_ptr<arrow::Buffer> offsets_;
};

// "row 3: it failed" → "row 3: normal_name(razao_social): it failed".
Status InCall(const Status& status, const std::string& call) {
  const size_t colon = status.message().find(": ");
  if (colon == std::string::npos) return status;
  return Status::Invalid(
      fmt::format("{}{}: {}", status.message().substr(0, colon + 2), call, status.message().substr(colon + 2)));
}

Kernel MakeModuleKernel(const MutiraoFunction& function, const CallSite& site) {
  std::string call = fmt::format("{}({})", function.name, fmt::join(site.columns, ", "));
  return [&function, call = std::move(call), type = site.result_type](const std::vector<ArrayPtr>& args,
                                                                      int64_t rows) -> Result<ArrayPtr> {
    std::vector<MutiraoArgument> arguments;
    arguments.reserve(args.size());
    for (const ArrayPtr& arg : args) arguments.push_back(ArgumentOf(*arg));
    std::unique_ptr<Output> output = MUTIRAO_TRY(Output::Make(type, rows));
    MutiraoResult* result = output->result();
    const int32_t code = function.call(arguments.data(), rows, result);
    if (code == kRowFailed) {
      result->error[sizeof result->error - 1] = 0;
      return RowError(result->failed_row, fmt::format("{} failed: {}", call, result->error));
    }
    if (code != 0) {
      return Status::Exhausted(fmt::format("the texts that {} gives for one batch take more than 2 GiB", call));
    }
    auto array = output->Finish();
    if (!array.ok() && array.status().code() == StatusCode::kInvalid) return InCall(array.status(), call);
    return array;
  };
}

}  // namespace

Result<FunctionDef> DescribeModuleFunction(const MutiraoFunction& function, std::string library, std::string module) {
  FunctionDef def{.name = function.name == nullptr ? "" : function.name};
  MUTIRAO_TRY(CheckName(def.name));
  if (function.parameter_count < 0 || function.parameter_count > kMostParameters || function.call == nullptr) {
    return Status::Invalid(fmt::format("{}() has {} parameters", def.name, function.parameter_count));
  }
  std::vector<TypePtr> parameters;
  std::vector<std::string> names;
  for (int32_t i = 0; i < function.parameter_count; ++i) {
    parameters.push_back(TypeOf(function.parameters[i].type));
    if (parameters.back() == nullptr) return Status::Invalid(fmt::format("{}() takes a type not known", def.name));
    names.push_back(TypeName(*parameters.back()));
  }
  const TypePtr result = TypeOf(function.result.type);
  if (result == nullptr) return Status::Invalid(fmt::format("{}() gives a type not known", def.name));
  def.signatures = {fmt::format("{}({}) → {}", def.name, fmt::join(names, ", "), TypeName(*result))};
  def.summary = function.summary == nullptr ? "" : function.summary;
  def.library = std::move(library);
  def.module = std::move(module);
  def.resolve = Takes(std::move(parameters), result);
  def.make_kernel = [&function](const CallSite& site) -> Result<Kernel> { return MakeModuleKernel(function, site); };
  return def;
}

}  // namespace mutirao::frame
