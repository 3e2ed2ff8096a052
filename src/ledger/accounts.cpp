#include "ledger/accounts.h"

namespace rootstock::ledger {

std::string open_account(store::Session& session, const TenantId& tenant, const std::string& kind,
                         const std::string& currency, std::optional<Micros> debit_limit, Timestamp now) {
    const auto id = mint_id("acc", now);
    const auto added = session.execute(
        "INSERT INTO ledger_account (id, tenant_id, kind, currency, debit_limit, created_at) "
        "VALUES (:id, :tenant, :kind, :currency, :limit, :now) ON CONFLICT (tenant_id, kind, currency) DO NOTHING",
        id, tenant, kind, currency, debit_limit, now);
    if (added == 0)
        return session.value<std::string>(
            "SELECT id FROM ledger_account WHERE tenant_id = :tenant AND kind = :kind AND currency = :currency", tenant,
            kind, currency);
    session.execute(
        "INSERT INTO ledger_balance (account_id, posted_dr, posted_cr, pending_dr, pending_cr) "
        "VALUES (:id, 0, 0, 0, 0)",
        id);
    return id;
}

TransferId append(store::Session& session, const Transfer& transfer, Timestamp now) {
    const auto id = mint<TransferTag>(now);
    session.execute(
        "INSERT INTO ledger_transfer (id, group_id, debit_account, credit_account, amount, currency, code, ref_type, "
        "ref_id, reverses, booked_at) VALUES (:id, :group, :debit, :credit, :amount, :currency, :code, :type, :ref, "
        ":reverses, :now)",
        id, transfer.group.empty() ? id.text() : transfer.group, transfer.debit, transfer.credit, transfer.amount,
        transfer.currency, transfer.code, transfer.ref_type, transfer.ref_id,
        transfer.reverses.empty() ? std::nullopt : std::optional(transfer.reverses), now);
    const auto moved =
        session.execute("UPDATE ledger_balance SET posted_cr = posted_cr + :amount WHERE account_id = :credit",
                        transfer.amount, transfer.credit);
    ROOTSTOCK_CHECK(moved == 1, "an account has no balance row");
    return id;
}

TransferId book(store::Session& session, const Transfer& transfer, Timestamp now) {
    const auto moved = session.execute(
        "UPDATE ledger_balance SET posted_dr = posted_dr + :amount WHERE account_id = "
        ":debit",
        transfer.amount, transfer.debit);
    ROOTSTOCK_CHECK(moved == 1, "an account has no balance row");
    return append(session, transfer, now);
}

std::unexpected<Error> no_books() {
    return fail(ErrorCode::not_found, "this tenant has no open books: create it with `rootstock tenant create`",
                "tenant", "no_books");
}

}  // namespace rootstock::ledger
