#pragma once

#include <functional>
#include <string>
#include <vector>

#include "frame/expr/function.h"

namespace mutirao::frame {

// Every family adds its functions to the registry (frame/expr/function.cc).
void AddConditionals(std::vector<FunctionDef>* functions);
void AddAggregates(std::vector<FunctionDef>* functions);
void AddTextTrims(std::vector<FunctionDef>* functions);
void AddTextCases(std::vector<FunctionDef>* functions);
void AddTextPieces(std::vector<FunctionDef>* functions);
void AddTextSearches(std::vector<FunctionDef>* functions);
void AddRegularExpressions(std::vector<FunctionDef>* functions);
void AddDateTexts(std::vector<FunctionDef>* functions);
void AddDateParts(std::vector<FunctionDef>* functions);
void AddRounding(std::vector<FunctionDef>* functions);
void AddHash(std::vector<FunctionDef>* functions);
void AddRegisterNumbers(std::vector<FunctionDef>* functions);
void AddLists(std::vector<FunctionDef>* functions);

using Resolve = std::function<Result<TypePtr>(std::vector<TypePtr>&)>;

/// Make a resolver for fixed parameter types, of which the last `optional` may be left out.
Resolve Takes(std::vector<TypePtr> parameters, TypePtr result, size_t optional = 0);

/// Check the number of arguments. Errors: kInvalid ("expects 2 or 3 arguments, got 1").
Status ExpectArguments(const std::vector<TypePtr>& types, size_t least, size_t most);

/// "expects string as argument 2, got int64".
Status WrongArgument(size_t index, std::string_view expected, const arrow::DataType& got);

/// A constant text argument; null pointer when it is not constant or null.
const std::string* ConstantText(const CallSite& site, size_t index, std::string* storage);

}  // namespace mutirao::frame
