#pragma once

#include "frame/optimizer/optimizer.h"

namespace mutirao::frame {

/// Compute what reads no column once; simplify and, or, not and case by three-valued logic. What would raise an error
/// stays as it is, since it may never be evaluated.
const Rule& FoldConstantsRule();

/// Make one filter of two that follow each other, and drop those that keep every row.
const Rule& CombineFiltersRule();

/// Move conditions towards the scans, and into them where the source can evaluate them. A condition that can raise an
/// error is moved only where it meets the same rows.
const Rule& PushFiltersRule();

/// Move limits below projects and into the inputs of unions; tell scans how many rows are wanted.
const Rule& PushLimitsRule();

/// Make one project of two that follow each other, unless that would compute something twice; drop those that change
/// nothing.
const Rule& CombineProjectsRule();

/// Leave out columns, aggregates and join outputs that nobody reads, down to the columns that scans deliver.
const Rule& PruneColumnsRule();

/// Evaluate cheap conditions that remove many rows first.
const Rule& ReorderFiltersRule();

/// Put the smaller side of a join into the hash table, by the sizes the sources know.
const Rule& JoinSideRule();

}  // namespace mutirao::frame
