#pragma once
// data: from a customer's file to packed tokens. Reads records, turns them into labelled examples with every
// fault named by row, turns text into token ids exactly as the reference tokenizers do, and packs rows into
// batches without padding. Knows nothing of models, SQL or HTTP. Other folders include this face only.
//
//   file --reader--> records + problems --dataset--> examples --tokenizer--> ids --batch--> packed rows

#include "data/batch/batch.h"
#include "data/dataset/dataset.h"
#include "data/reader/reader.h"
#include "data/tokenizer/text_stream.h"
#include "data/tokenizer/tokenizer.h"
