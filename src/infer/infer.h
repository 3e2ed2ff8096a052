#pragma once
// infer: many callers, one model. Rows of many tenants and many adapters of one base model wait in one bounded, fair
// queue and run in mixed batches on one inference thread. Knows no SQL and no HTTP.
//
//   submit(tenant, rows, adapter) -> queue/ (fair by tenant) -> batch/ (mixed rows, one run) -> answer, in row order
//   residency/: which adapters are in memory, each checked against its own self-tests when it comes in
//
//   constrain/: what a text may be: JSON schema, regular expression, choices, grammar
//   decode/: entities and answers from what token and span heads say
//   generate/: lets a language model write on: generator.h for one caller, writer.h for many at once
//   table/: rows of a table to scores, on an executor of each model's own; the desk serves them to many
//
// Other folders include this face only.

#include "infer/constrain/compile.h"
#include "infer/constrain/constraint.h"
#include "infer/constrain/constraint_cache.h"
#include "infer/constrain/output_vocabulary.h"
#include "infer/decode/answer_span.h"
#include "infer/decode/entities.h"
#include "infer/generate/generator.h"
#include "infer/generate/writer.h"
#include "infer/queue/request.h"
#include "infer/residency/residency.h"
#include "infer/residency/self_check.h"
#include "infer/scheduler.h"
#include "infer/table/table_desk.h"
#include "infer/table/table_model.h"
