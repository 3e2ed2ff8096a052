#pragma once
// data: from a customer's file to packed tokens. Reads records, turns them into labelled examples with every
// fault named by row, turns text into token ids exactly as the reference tokenizers do, and packs rows into
// batches without padding; renders conversations as a model's chat template wants them. Knows nothing of models, SQL or
// HTTP. Other folders include this face only.
//
//   file --reader--> records + problems --dataset--> examples --tokenizer--> ids --batch--> packed rows
//   file --image--> pixels --preprocessing--> [channels, height, width] floats of a vision transformer
//   file --table--> rows --schema--> packed numbers and category ids of a table transformer

#include "data/batch/batch.h"
#include "data/chat/chat_template.h"
#include "data/dataset/chat_dataset.h"
#include "data/dataset/dataset.h"
#include "data/dataset/token_rows.h"
#include "data/image/image.h"
#include "data/image/image_folder.h"
#include "data/image/picture_reader.h"
#include "data/image/preprocessing.h"
#include "data/reader/reader.h"
#include "data/table/table.h"
#include "data/text/utf8.h"
#include "data/tokenizer/text_stream.h"
#include "data/tokenizer/tokenizer.h"
#include "data/tokenizer/train_tokenizer.h"
