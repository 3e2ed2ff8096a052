#include "mutants.h"

#include <algorithm>

namespace rootstock::simulation {
namespace {

// ---- of the server ----

// Every request is new.
struct NoDedup : Server {
    Result<ledger::Idempotency> claim(store::Session&, const Request&, Timestamp) override {
        return ledger::Idempotency{};
    }
    Result<ledger::Charge> settle(store::Session& session, const Request& request, Timestamp now) override {
        Request unnamed = request;
        unnamed.key.clear();
        return Server::settle(session, unnamed, now);
    }
};

struct TellsBeforeCommit : Server {
    bool tells_success(bool work, bool commit) const override { return work || commit; }
};

struct ForgetsHoldsOfTheDead : Server {
    Result<void> recover(store::Session& session, const std::string& run, Timestamp now) override {
        if (ledger::begin_run(session, run, "simulated:/home", now) == 0) ledger::free_abandoned_keys(session);
        return {};
    }
};

// What the dead had written is a gift.
struct VoidsMarkedStreams : Server {
    Result<void> recover(store::Session& session, const std::string& run, Timestamp now) override {
        if (ledger::begin_run(session, run, "simulated:/home", now) == 0) ledger::free_abandoned_keys(session);
        ledger::void_abandoned(session, run, now);
        return {};
    }
};

// A mark ahead of what was written: a crash bills what nobody got.
struct MarksAhead : Server {
    void mark(store::Session& session, const Request& request) override {
        ledger::mark_progress(session, request.id, std::min(request.written + 64, request.ask.output_max));
    }
};

// The claim is done with the hold, the charge comes in a later transaction.
struct FinishesBeforeTheCharge : Server {
    Result<ledger::Hold> reserve(store::Session& session, const Request& request, Timestamp now) override {
        ROOTSTOCK_TRY(hold, Server::reserve(session, request, now));
        if (!request.key.empty())
            ROOTSTOCK_CHECKED(ledger::finish(session, request.once(), request.id, 200, request.answer(), now));
        return std::move(hold);
    }
    Result<ledger::Charge> settle(store::Session& session, const Request& request, Timestamp now) override {
        Request unnamed = request;
        unnamed.key.clear();
        return Server::settle(session, unnamed, now);
    }
};

struct ChargesWhatFailed : Server {
    Result<void> give_up(store::Session& session, const Request& request, Timestamp now) override {
        Request unnamed = request;
        unnamed.key.clear();
        ROOTSTOCK_CHECKED(Server::settle(session, unnamed, now));
        return {};
    }
};

struct LeavesTheHold : Server {
    Result<void> give_up(store::Session&, const Request&, Timestamp) override { return {}; }
};

struct NeverExpires : Server {
    Result<void> sweep(store::Session& session, const std::string& run, Timestamp now) override {
        ledger::keep_run(session, run, now);
        ledger::forget_old_keys(session, now);
        ledger::advance_grants(session, now);
        return {};
    }
};

// ---- of the storage ----

std::size_t place_of(std::string_view sql, std::string_view name) {
    const auto found = sql.find(name);
    return static_cast<std::size_t>(std::count(sql.begin(), sql.begin() + static_cast<std::ptrdiff_t>(found), ':'));
}

// Money kept as a floating-point number of major units.
struct FloatMoney : Wire {
    std::int64_t run(store::Connection& inner, std::string_view sql, std::span<const store::Cell> args,
                     std::span<const store::Kind> columns, const OnRow& on_row) override {
        std::vector<store::Cell> spoiled(args.begin(), args.end());
        if (const auto at = sql.find(":amount"); at != std::string_view::npos && !sql.starts_with("SELECT")) {
            auto& amount = spoiled[place_of(sql, ":amount")].integer;
            const double dollars = static_cast<double>(amount) / 1e6;
            amount = std::max<std::int64_t>(static_cast<std::int64_t>(dollars * 1e6), amount > 0 ? 1 : 0);
        }
        return inner.rows(sql, spoiled, columns, on_row);
    }
};

// Admission that looks at nothing: as if it had looked before, and others came between.
struct AdmitsAll : Wire {
    std::int64_t run(store::Connection& inner, std::string_view sql, std::span<const store::Cell> args,
                     std::span<const store::Kind> columns, const OnRow& on_row) override {
        if (!sql.starts_with("UPDATE ledger_balance SET pending_dr = pending_dr + :hold"))
            return inner.rows(sql, args, columns, on_row);
        return inner.rows("UPDATE ledger_balance SET pending_dr = pending_dr + :hold WHERE account_id = :account",
                          args.first(2), columns, on_row);
    }
};

// One write in so many is told to have happened and did not.
struct LosesWrites : Wire {
    std::string table;
    int every, count = 0;
    LosesWrites(std::string name, int one_in) : table(std::move(name)), every(one_in) {}
    std::int64_t run(store::Connection& inner, std::string_view sql, std::span<const store::Cell> args,
                     std::span<const store::Kind> columns, const OnRow& on_row) override {
        if (sql.starts_with(table) && ++count % every == 0) return 1;
        return inner.rows(sql, args, columns, on_row);
    }
};

template <typename S>
Mutant of_server(const char* name) {
    return {.name = name, .server = [] { return std::make_unique<S>(); }};
}

template <typename W, typename... Args>
Mutant of_storage(const char* name, Args... args) {
    return {.name = name, .wire = [=] { return std::make_unique<W>(args...); }};
}

}  // namespace

const std::vector<Mutant>& mutants() {
    static const std::vector<Mutant> all{
        of_server<NoDedup>("no dedup"),
        of_server<TellsBeforeCommit>("tells before the commit"),
        of_storage<FloatMoney>("money in floating point"),
        of_server<ForgetsHoldsOfTheDead>("no void after a crash"),
        of_server<VoidsMarkedStreams>("streams of a crash are free"),
        of_server<MarksAhead>("marks ahead of what was written"),
        of_server<FinishesBeforeTheCharge>("claim and effect in two transactions"),
        of_server<ChargesWhatFailed>("charges for what failed"),
        of_server<LeavesTheHold>("leaves the hold of what failed"),
        of_server<NeverExpires>("holds never expire"),
        of_storage<AdmitsAll>("admits without looking"),
        of_storage<LosesWrites>("loses an update of a balance", "UPDATE ledger_balance", 40),
        of_storage<LosesWrites>("loses a transfer", "INSERT INTO ledger_transfer", 9),
        of_storage<LosesWrites>("loses the use of a grant", "UPDATE wallet_grant SET remaining", 5),
        of_storage<LosesWrites>("loses a used allowance", "UPDATE allowance SET held = held -", 5),
    };
    return all;
}

}  // namespace rootstock::simulation
