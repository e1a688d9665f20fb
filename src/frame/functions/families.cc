#include "frame/functions/families.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include "frame/expr/coercion.h"

namespace mutirao::frame {

Status ExpectArguments(const std::vector<TypePtr>& types, size_t least, size_t most) {
  if (types.size() >= least && types.size() <= most) return Status::Ok();
  auto counted = [](size_t n) { return fmt::format("{} argument{}", n, n == 1 ? "" : "s"); };
  std::string expected = least == most        ? counted(least)
                         : most == size_t(-1) ? "at least " + counted(least)
                         : most == least + 1  ? fmt::format("{} or {}", least, counted(most))
                                              : fmt::format("{} to {}", least, counted(most));
  return Status::Invalid(fmt::format("expects {}, got {}", expected, types.size()));
}

Status WrongArgument(size_t index, std::string_view expected, const arrow::DataType& got) {
  return Status::Invalid(fmt::format("expects {} as argument {}, got {}", expected, index + 1, TypeName(got)));
}

Resolve Takes(std::vector<TypePtr> parameters, TypePtr result, size_t optional) {
  return [parameters = std::move(parameters), result = std::move(result),
          optional](std::vector<TypePtr>& types) -> Result<TypePtr> {
    MUTIRAO_TRY(ExpectArguments(types, parameters.size() - optional, parameters.size()));
    for (size_t i = 0; i < types.size(); ++i) {
      TypePtr common = CommonType(types[i], parameters[i]);
      if (common == nullptr || !common->Equals(*parameters[i]))
        return WrongArgument(i, TypeName(*parameters[i]), *types[i]);
      types[i] = parameters[i];
    }
    return result;
  };
}

const std::string* ConstantText(const CallSite& site, size_t index, std::string* storage) {
  if (index >= site.constants.size() || !site.constants[index] || !site.constants[index]->is_valid) return nullptr;
  *storage = std::string(static_cast<const arrow::BaseBinaryScalar&>(*site.constants[index]).view());
  return storage;
}

}  // namespace mutirao::frame
