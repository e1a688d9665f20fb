#pragma once

#include <cstdint>
#include <string_view>

#include <arrow/type.h>

#include "frame/functions/int128.h"

namespace mutirao::frame {

/// Call `visit` with a value-initialised C++ value of the kind in which a plan type (other than list) is stored:
/// date as int32, timestamp as int64, decimal as Int128, string and binary as string_view.
template <typename F>
auto VisitPhysical(const arrow::DataType& type, F&& visit) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return visit(bool{});
    case arrow::Type::INT8:
      return visit(int8_t{});
    case arrow::Type::INT16:
      return visit(int16_t{});
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      return visit(int32_t{});
    case arrow::Type::DOUBLE:
      return visit(double{});
    case arrow::Type::DECIMAL128:
      return visit(Int128{});
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return visit(std::string_view{});
    default:
      return visit(int64_t{});
  }
}

}  // namespace mutirao::frame
