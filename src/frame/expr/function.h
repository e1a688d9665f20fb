#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "columnar/type.h"
#include "frame/expr/expr.h"

namespace mutirao::frame {

/// How a function turns argument arrays into a result array: made once for an expression, called for every batch.
///
/// `args` has one array an argument, each of `rows` values, or of one value when the argument is constant (the maker
/// got that value too); a result of one value likewise stands for all rows when every argument is constant. REQUIRES:
/// rows > 0.
using Kernel = std::function<Result<ArrayPtr>(const std::vector<ArrayPtr>& args, int64_t rows)>;

/// What is known of a call when its kernel is made.
struct CallSite {
  std::vector<TypePtr> arg_types;
  /// The value of an argument that is constant, null pointer for others.
  std::vector<ScalarPtr> constants;
  TypePtr result_type;
  /// Columns that the arguments read, for messages; empty while a call is only checked.
  std::vector<std::string> columns;
};

enum class FunctionKind : uint8_t { kScalar, kAggregate };

/// A function as users see it and as the engine runs it: one place for name, types, help text and kernel.
struct FunctionDef {
  std::string name;
  FunctionKind kind = FunctionKind::kScalar;
  /// As `mutirao functions` prints it: "split_part(text string, delimiter string, index int64) → string".
  std::vector<std::string> signatures;
  std::string summary;
  /// An expression and its value, both text: {"upper('são')", "'SÃO'"}. A test evaluates each.
  std::vector<std::pair<std::string, std::string>> examples;
  /// False for today(), which a run replaces by its date before anything else (FixToday).
  bool deterministic = true;
  /// Of a function of a module: the library's file here, and its content's hash, by which it is found elsewhere.
  std::string library;
  std::string module;

  /// Decide the result type from argument types, and which type each argument is to be cast to.
  /// Errors: kInvalid with a message for people ("expects text, got int64").
  std::function<Result<TypePtr>(std::vector<TypePtr>& arg_types)> resolve;

  /// Scalar functions only.
  std::function<Result<Kernel>(const CallSite&)> make_kernel;
};

/// Find a function by its lower-case name; null when there is none.
const FunctionDef* FindFunction(std::string_view name);

/// The functions of modules that an expression may call beside the built-in ones, by name. They live as long as the
/// process.
using FunctionSet = std::map<std::string, const FunctionDef*, std::less<>>;

/// All functions and aggregates in alphabetical order.
const std::vector<const FunctionDef*>& AllFunctions();

}  // namespace mutirao::frame
