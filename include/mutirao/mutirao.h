#pragma once

/// Everything that a program or a module of ops needs.

#include <mutirao/expr.h>
#include <mutirao/frame.h>
#include <mutirao/function.h>
#include <mutirao/op.h>
#include <mutirao/read.h>
#include <mutirao/resource.h>
#include <mutirao/status.h>
#include <mutirao/table.h>
#include <mutirao/version.h>
