#pragma once
// ledger: what was used and what is owed. The umbrella over its subjects; read them in this order.
//
// Money moves in transfers: one row that debits one account and credits another by an amount above zero, so that
// the books balance by construction. Rows are only ever appended; triggers refuse UPDATE and DELETE. A balance is
// the fold of its transfers, kept beside them and proved by verify().
//
// A request pays in two phases. reserve() holds the highest possible price on the tenant's account in one atomic
// statement, which is where quota, credit and concurrent overspend are decided; post() then books the true usage,
// never above the hold, or void_reservation() lets go. pending -> posted | voided | expired; the last three are final.
//
// Everything runs inside a store transaction of the caller, so claim and effect are one: an idempotency record, its
// usage event, its transfer and its balances become durable together or not at all.

#include "ledger/charges.h"
#include "ledger/coupon.h"
#include "ledger/credit_note.h"
#include "ledger/dunning.h"
#include "ledger/economics.h"
#include "ledger/idempotency.h"
#include "ledger/invoice.h"
#include "ledger/key_budget.h"
#include "ledger/offer.h"
#include "ledger/partner.h"
#include "ledger/payment.h"
#include "ledger/period.h"
#include "ledger/plan.h"
#include "ledger/plan_json.h"
#include "ledger/quota.h"
#include "ledger/rating.h"
#include "ledger/reservation.h"
#include "ledger/statement.h"
#include "ledger/subscription.h"
#include "ledger/tax.h"
#include "ledger/usage_report.h"
#include "ledger/verify.h"
#include "ledger/wallet.h"
#include "ledger/what_if.h"
#include "ledger/zone.h"

namespace rootstock::ledger {

std::vector<store::Migration> migrations();

}  // namespace rootstock::ledger
