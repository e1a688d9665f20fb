#include "columnar/arrow_status.h"

namespace mutirao {

Status FromArrow(const arrow::Status& status) {
  switch (status.code()) {
    case arrow::StatusCode::OK: return Status::Ok();
    case arrow::StatusCode::Invalid:
    case arrow::StatusCode::TypeError:
    case arrow::StatusCode::IndexError:
    case arrow::StatusCode::SerializationError: return Status::Invalid(status.message());
    case arrow::StatusCode::KeyError: return Status::NotFound(status.message());
    case arrow::StatusCode::AlreadyExists: return Status::AlreadyExists(status.message());
    case arrow::StatusCode::IOError: return Status::Io(status.message());
    case arrow::StatusCode::Cancelled: return Status::Cancelled(status.message());
    case arrow::StatusCode::OutOfMemory:
    case arrow::StatusCode::CapacityError: return Status::Exhausted(status.message());
    case arrow::StatusCode::NotImplemented: return Status::Unsupported(status.message());
    default: return Status::Internal(status.ToString());
  }
}

arrow::Status ToArrow(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk: return arrow::Status::OK();
    case StatusCode::kInvalid: return arrow::Status::Invalid(status.ToString());
    case StatusCode::kNotFound: return arrow::Status::KeyError(status.ToString());
    case StatusCode::kCancelled: return arrow::Status::Cancelled(status.ToString());
    case StatusCode::kExhausted: return arrow::Status::OutOfMemory(status.ToString());
    case StatusCode::kUnsupported: return arrow::Status::NotImplemented(status.ToString());
    case StatusCode::kInternal: return arrow::Status::UnknownError(status.ToString());
    default: return arrow::Status::IOError(status.ToString());
  }
}

}  // namespace mutirao
