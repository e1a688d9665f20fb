#include "engine/lowering/partner_rows.h"

#include <algorithm>
#include <bit>
#include <filesystem>

#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "storage/file_output.h"
#include "storage/storage.h"

namespace mutirao::engine {
namespace {

// What the result of a task says of a node; null when nothing.
const Json* PartnersOf(const Json& result, size_t node) {
  if (!result.contains("partners") || !result["partners"].is_array()) return nullptr;
  for (const Json& entry : result["partners"]) {
    const bool whole = entry.is_object() && entry.contains("node") && entry["node"].is_number_unsigned() &&
                       entry.contains("file") && entry["file"].is_string() && entry.contains("rows") &&
                       entry["rows"].is_number_unsigned();
    if (whole && entry["node"].get<size_t>() == node) return &entry;
  }
  return nullptr;
}

Result<std::vector<uint8_t>> ReadBits(const std::string& path) {
  const storage::Store* store = MUTIRAO_TRY(storage::StoreFor(path));
  const std::unique_ptr<storage::Object> file = MUTIRAO_TRY(store->Open(path));
  std::vector<uint8_t> bits(static_cast<size_t>(file->size()));
  const int64_t read = MUTIRAO_TRY(file->ReadAt(0, std::as_writable_bytes(std::span(bits))));
  if (read != file->size()) return Status::Io(path + " ends early");
  return bits;
}

}  // namespace

Result<Json> WritePartners(const Json& wanted, const std::string& attempt, const ExecutionReport& report) {
  Json written = Json::array();
  for (const Json& entry : wanted) {
    const auto node = entry["node"].get<size_t>();
    const auto& bits = report.nodes[node].partners;
    if (bits == nullptr) continue;
    // Nobody looks for it before the result names it, and it need not outlive the run.
    const std::string file = fmt::format("{}/{}-{}.bits", entry["folder"].get<std::string>(), attempt, node);
    // A document that is run once more replaces what it wrote before.
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    auto output = MUTIRAO_TRY(storage::FileOutput::Make(file));
    MUTIRAO_TRY(output->Write(bits->data(), static_cast<int64_t>(bits->size())));
    MUTIRAO_TRY(output->Keep());
    const frame::JoinNode& join = static_cast<const frame::JoinNode&>(*report.nodes[node].node);
    const NodeReport& counts = report.nodes[node];
    written.push_back(
        {{"node", node}, {"file", file}, {"rows", join.spec.build_right ? counts.rows_right : counts.rows_in}});
  }
  return written;
}

std::optional<int64_t> UnmatchedInAll(const std::vector<Json>& results, size_t node) {
  std::vector<uint8_t> all;
  int64_t rows = -1;
  for (const Json& result : results) {
    const Json* entry = PartnersOf(result, node);
    if (entry == nullptr) return std::nullopt;
    const auto its_rows = (*entry)["rows"].get<int64_t>();
    if (its_rows == 0) continue;  // nothing of the join was in this task
    const auto bits = ReadBits((*entry)["file"].get<std::string>());
    if (!bits.ok() || static_cast<int64_t>(bits->size()) != (its_rows + 7) / 8) return std::nullopt;
    if (rows >= 0 && its_rows != rows) return std::nullopt;
    rows = its_rows;
    all.resize(bits->size());
    for (size_t i = 0; i < all.size(); ++i) all[i] |= (*bits)[i];
  }
  int64_t with_partner = 0;
  for (const uint8_t byte : all) with_partner += std::popcount(byte);
  return std::max<int64_t>(rows, 0) - with_partner;
}

}  // namespace mutirao::engine
