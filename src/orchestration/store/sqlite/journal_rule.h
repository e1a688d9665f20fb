#pragma once

#include <string>

namespace mutirao::orchestration {

enum class SqliteJournal { kTruncate, kWal };

/// Say whether this version of SQLite (as sqlite3_libversion_number gives it) is free of the WAL-reset race: with a
/// write-ahead log, a checkpoint that races a commit can damage the database. Up to 3.51.2 it is there, but for the
/// corrected 3.44.6 and 3.50.7 and what follows them in their lines; 3.52.0 was withdrawn.
bool WalIsSafe(int version);

/// Say whether a file system of this type (statfs) is one of a network, whose locks and shared memory WAL cannot use.
bool IsNetworkFileSystem(long type);

/// The journal for a database in this folder: WAL where the library and the file system allow it, else TRUNCATE.
SqliteJournal ChooseJournal(const std::string& folder);

}  // namespace mutirao::orchestration
