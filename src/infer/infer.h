#pragma once
// infer: many callers, one model. Rows of many tenants and many adapters of one base model wait in one bounded, fair
// queue and run in mixed batches on one inference thread. Knows no SQL and no HTTP.
//
//   submit(tenant, rows, adapter) -> queue/ (fair by tenant) -> batch/ (mixed rows, one run) -> answer, in row order
//   residency/: which adapters are in memory, each checked against its own self-tests when it comes in
//
//   generate/: lets a language model write on: generator.h for one caller, writer.h for many at once
//   constrain/: what a constraint lets it write
//
// Other folders include this face only.

#include "infer/generate/generator.h"
#include "infer/generate/writer.h"
#include "infer/queue/request.h"
#include "infer/residency/residency.h"
#include "infer/residency/self_check.h"
#include "infer/scheduler.h"
