#include "orchestration/store/sqlite/journal_rule.h"

#include <sqlite3.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>

namespace mutirao::orchestration {

bool WalIsSafe(int version) {
  const int line = version / 1000;  // 3044006 is 3.44.6
  if (line == 3044) return version >= 3044006;
  if (line == 3050) return version >= 3050007;
  if (line == 3051) return version >= 3051003;
  return line >= 3053;
}

bool IsNetworkFileSystem(long type) {
  constexpr std::array<unsigned, 14> kNetwork{
      0x6969,      // NFS
      0x517B,      // SMB
      0xFF534D42,  // CIFS
      0xFE534D42,  // SMB2
      0x01021997,  // 9P
      0x65735546,  // FUSE: sshfs and its like; of local ones only speed is lost
      0x00C36400,  // Ceph
      0x0BD00BD0,  // Lustre
      0x01161970,  // GFS2
      0x7461636F,  // OCFS2
      0x5346414F,  // AFS
      0x73757245,  // Coda
      0x47504653,  // GPFS
      0x786F4256,  // VirtualBox's shared folders
  };
  return std::ranges::find(kNetwork, static_cast<unsigned>(type)) != kNetwork.end();
}

SqliteJournal ChooseJournal(const std::string& folder) {
  struct statfs info = {};
  const bool known = statfs(folder.c_str(), &info) == 0;
  const bool wal = WalIsSafe(sqlite3_libversion_number()) && known && !IsNetworkFileSystem(info.f_type);
  return wal ? SqliteJournal::kWal : SqliteJournal::kTruncate;
}

}  // namespace mutirao::orchestration
