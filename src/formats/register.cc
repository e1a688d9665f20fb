#include "formats/register.h"

#include "formats/csv/csv_source.h"
#include "formats/csv_writer/csv_sink.h"
#include "formats/inline/inline_source.h"
#include "formats/ipc/register_ipc.h"
#include "formats/parquet/register_parquet.h"

namespace mutirao::formats {

void RegisterFormats(frame::FormatRegistry& registry) {
  csv::RegisterCsvSource(registry);
  RegisterCsvSink(registry);
  RegisterInline(registry);
  RegisterIpc(registry);
  RegisterParquet(registry);
}

}  // namespace mutirao::formats
