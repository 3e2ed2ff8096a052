#pragma once
// flow: the journeys, one readable file each. Here, and only here, the compute column (tensors) and the records column
// (rows and money) meet. Other folders include this face only.
//
//   intake    a model from a package, the Hub or a folder, checked and stored by digest
//   finetune  labelled rows to a measured, registered adapter
//   tune      the same, ordered by a customer and done by a worker
//   promote   a candidate to the live version, or back
//   served    the base models of one server
//   journey   what the next two have in common
//   predict   a request to a paid answer
//   classify  texts or pictures on the spot, without books
//   generate  a request to a written, paid answer, perhaps word by word
//   export    a model or an adapter to the files of other tools
//   chat      a conversation with a model that writes
//   score     rows of a table to scores
//   score_rows  the same as a request with a paid answer
//   bill      who and how much, together; invoicing: the same for invoices, and their papers
//   pay       a payment through a provider, whatever it answers
//   deliver   what waits in the outbox to whom it is for

#include "flow/await.h"
#include "flow/bill.h"
#include "flow/chat.h"
#include "flow/classify.h"
#include "flow/deliver/courier.h"
#include "flow/deliver/letters.h"
#include "flow/export.h"
#include "flow/finetune.h"
#include "flow/generate.h"
#include "flow/intake.h"
#include "flow/invoice_paper.h"
#include "flow/invoicing.h"
#include "flow/meant_adapter.h"
#include "flow/pay/bank_transfer.h"
#include "flow/pay/cashier.h"
#include "flow/pay/stripe.h"
#include "flow/predict.h"
#include "flow/process/child.h"
#include "flow/promote.h"
#include "flow/reading.h"
#include "flow/score.h"
#include "flow/score_rows.h"
#include "flow/served.h"
#include "flow/sign_up.h"
#include "flow/tune.h"
