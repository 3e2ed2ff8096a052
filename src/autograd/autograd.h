#pragma once
// autograd: the transformer spec on libtorch, with gradients. It learns; native/ serves. Other folders include this
// face only (with libtorch, so put it behind a precompiled header).
//
//   Model + Tuning --> HeadedModel = Transformer (base, low-rank grafts) + ModelHead
//   PackedBatch or images --stage--> StagedBatch --logits(), hidden(), embeddings()--> tensors --backward()-->
//   Parameters
//   SequenceClassifier, LanguageModel: a HeadedModel that an adapter folder keeps
//
// Batches are packed: all tokens in one list, no padding. Three routes compute the same:
//   kernels    encoders of BERT's shape on a CPU that multiplies bfloat16 well: our own fused forward and backward
//              passes over packed rows, matrix products through oneDNN with frozen weights packed once for each
//              direction
//   packed products  other models of tokens on such a CPU: the linear maps as above, the rest in libtorch's operations
//   torch ops  everything else (any spec, fp32, other devices), differentiated by libtorch itself
// What is trained lives in Parameters, in fp32: two flat vectors, values and gradients, so that an optimiser step, a
// clipped norm or a checkpoint is one pass over memory.
//
// Errors: the caller's faults come back as Results (stage, load). c10::Error leaves this folder only for faults of our
// own or of the device; learn turns it into an event.

#include "autograd/executor/classifier.h"
#include "autograd/executor/headed_model.h"
#include "autograd/executor/language_model.h"
#include "autograd/executor/model_head.h"
#include "autograd/executor/parameters.h"
#include "autograd/executor/placement.h"
#include "autograd/executor/staged_batch.h"
#include "autograd/executor/transformer.h"
#include "autograd/ops/losses.h"
#include "autograd/ops/vocabulary_loss.h"
