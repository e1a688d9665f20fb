#include "orchestration/leases/lease_name.h"

#include <set>

#include <gtest/gtest.h>

namespace mutirao::orchestration {
namespace {

const std::string kRun = "20261122-103000-9f86d081";

TEST(LeaseName, SaysRunResourceAndAttempt) {
  EXPECT_EQ(LeaseName(kRun, "compute", 1), "mutirao-20261122-103000-9f86d081-compute-1");
}

TEST(LeaseName, KeepsResourcesApartAndFitsAHostName) {
  std::set<std::string> names;
  const std::string longest(100, 'x');
  for (const std::string& resource :
       {std::string("a_b"), std::string("a-b"), std::string("A-b"), longest, longest + "y"}) {
    std::string name = LeaseName(kRun, resource, 1001);
    EXPECT_LE(name.size(), 63U) << name;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string::npos) << name;
    names.insert(name);
  }
  EXPECT_EQ(names.size(), 5U);
}

}  // namespace
}  // namespace mutirao::orchestration
