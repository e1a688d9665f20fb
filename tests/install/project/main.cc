#include <iostream>

#include <mutirao/mutirao.h>

namespace mt = mutirao;

int main() {
  mt::Frame rows = mt::FromRows({{"uf", "string"}, {"n", "int64"}}, {{"SP", "40"}, {"AC", "1"}, {"SP", "2"}});
  mt::Result<mt::Table> table =
      rows.Filter(mt::Col("uf") == "SP").Aggregate({"uf"}, {{"n", mt::Sum(mt::Col("n"))}}).Collect();
  if (!table.ok()) {
    std::cerr << table.status().ToString() << "\n";
    return 1;
  }
  std::cout << table->num_rows() << " " << *table->Text(0, "uf") << " " << *table->Integer(0, "n") << "\n";
}
