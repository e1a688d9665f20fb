#pragma once

#include <libpq-fe.h>

#include "base/late_library.h"

/// libpq, loaded when a PostgreSQL is first spoken to. Its functions have their own names here and hide those that
/// would be linked. REQUIRES: library.Load() gave Ok before any is called.
namespace mutirao::orchestration::libpq {

inline constinit const LateLibrary library{"libpq.so.5", "libpq5"};

#define MUTIRAO_LIBPQ(name)                                    \
  inline constinit const LateFunction<decltype(::name)> name { \
    library, #name                                             \
  }
MUTIRAO_LIBPQ(PQclear);
MUTIRAO_LIBPQ(PQcmdStatus);
MUTIRAO_LIBPQ(PQcmdTuples);
MUTIRAO_LIBPQ(PQconnectdbParams);
MUTIRAO_LIBPQ(PQconninfoFree);
MUTIRAO_LIBPQ(PQconninfoParse);
MUTIRAO_LIBPQ(PQconsumeInput);
MUTIRAO_LIBPQ(PQdb);
MUTIRAO_LIBPQ(PQerrorMessage);
MUTIRAO_LIBPQ(PQexec);
MUTIRAO_LIBPQ(PQexecParams);
MUTIRAO_LIBPQ(PQfinish);
MUTIRAO_LIBPQ(PQfreemem);
MUTIRAO_LIBPQ(PQftype);
MUTIRAO_LIBPQ(PQgetisnull);
MUTIRAO_LIBPQ(PQgetlength);
MUTIRAO_LIBPQ(PQgetvalue);
MUTIRAO_LIBPQ(PQhost);
MUTIRAO_LIBPQ(PQnfields);
MUTIRAO_LIBPQ(PQnotifies);
MUTIRAO_LIBPQ(PQntuples);
MUTIRAO_LIBPQ(PQport);
MUTIRAO_LIBPQ(PQresultErrorField);
MUTIRAO_LIBPQ(PQresultStatus);
MUTIRAO_LIBPQ(PQserverVersion);
MUTIRAO_LIBPQ(PQsetNoticeProcessor);
MUTIRAO_LIBPQ(PQsocket);
MUTIRAO_LIBPQ(PQstatus);
MUTIRAO_LIBPQ(PQtransactionStatus);
MUTIRAO_LIBPQ(PQuser);
#undef MUTIRAO_LIBPQ

}  // namespace mutirao::orchestration::libpq
