#pragma once
// What the books must say, told a second time: a plain model of every rule of billing that the simulation knows, in
// exact numbers of its own. It is told what became durable, step by step, and says what is owed, held, left and billed;
// a step that no rule allows is a Violation. It shares types with the ledger, and no arithmetic.

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "ledger/ledger.h"

namespace rootstock::simulation {

struct Violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What something costs in 10^-15 of the major unit, unit by unit as the price list reads.
__int128 exact_price(const ledger::Rating& rating, std::int64_t quantity);
// Half away from zero; nothing here is below zero.
std::int64_t rounded(__int128 exact, int decimals);

// One request as its customer asked for it, and what the house knows of it.
struct Ask {
    std::string request, model = "minilm", run;
    std::int64_t input = 0, output_max = 0;
    Timestamp expires{};
};
struct Used {
    std::int64_t input = 0, cached = 0, output = 0;
    bool partial = false;
};
struct Billed {
    std::int64_t amount = 0;
    bool late = false, at_mark = false;  // after its hold had expired; for a process that died
    std::string tenant;
    Timestamp at{};
};

struct ReferenceGrant {
    std::string state;  // as in wallet.h
    bool purchased = false;
    std::int64_t amount = 0, left = 0, priority = 0;
    Timestamp effective{}, created{};
    std::optional<Timestamp> expires{};
};

struct ReferenceInvoice {
    std::string tenant, status;
    Timestamp start{};
    std::int64_t number = 0, total = 0, paid = 0;
    std::int64_t owed = 0, credit = 0;  // what it moved, for when it is voided
};

struct ReferenceKey {
    std::string body, runner, answer;
    bool done = false;
    Timestamp lease{}, expires{};
};

class Reference {
public:
    void open(const std::string& tenant, const ledger::Plan& plan);

    // ---- requests ----
    void admitted(const std::string& tenant, const Ask& ask, std::int64_t hold, Timestamp now);
    void refused(const std::string& tenant, const Ask& ask, const Error& error, Timestamp now);
    void marked(const std::string& request, std::int64_t tokens);
    // Returns what it costs.
    std::int64_t posted(const std::string& request, const Used& used, Timestamp now);
    void refused_late(const std::string& request, const Used& used);
    void voided(const std::string& request);

    // ---- keys ----
    ledger::IdempotencyState claimed(const std::string& key, const std::string& body, const std::string& runner,
                                     Timestamp now);
    // A whole answer was charged for it.
    void finished(const std::string& key, const std::string& runner, const std::string& answer, Timestamp now);
    void abandoned(const std::string& key, const std::string& runner);
    const ReferenceKey& key(const std::string& key) const { return keys_.at(key); }
    bool runs(const std::string& key, const std::string& runner) const;
    bool answers(const std::string& key, Timestamp now) const;  // as it was answered before

    // ---- the house ----
    void granted(const std::string& tenant, const std::string& id, ReferenceGrant grant);
    void grant_voided(const std::string& id);
    void recovered(const std::string& run, Timestamp now);  // a new run has begun, alone
    void swept(Timestamp now);
    void finalized(const std::string& tenant, const ledger::Invoice& invoice);
    void invoice_voided(const std::string& id);
    void paid(const std::string& id, const std::string& ref, std::int64_t amount);

    struct Allowance {
        std::int64_t used = 0, held = 0;
    };
    struct Tenant {
        ledger::Plan plan;
        std::int64_t owed = 0, held = 0, credit = 0;                           // credit: minor units
        std::int64_t charged = 0, granted = 0;                                 // of all time
        std::map<std::pair<std::string, std::int64_t>, Allowance> allowances;  // by meter and period
        std::map<std::pair<std::string, std::int64_t>, std::pair<std::int64_t, std::int64_t>> rated;
        std::map<std::int64_t, std::int64_t> burnt;  // by month, what grants paid
        std::map<std::int64_t, std::int64_t> usage;  // by month, what was charged
        std::map<std::tuple<std::int64_t, std::string, std::string>, std::int64_t> quantity;  // month, meter, model
    };
    struct Reservation {
        std::string tenant, state = "pending";
        Ask ask;
        std::int64_t hold = 0, mark = 0, month = 0, allowed = 0;
    };
    const std::map<std::string, Tenant>& tenants() const { return tenants_; }
    const std::map<std::string, Reservation>& reservations() const { return reservations_; }
    const std::map<std::string, Billed>& billed() const { return billed_; }
    const std::map<std::string, ReferenceGrant>& grants() const { return grants_; }
    const std::map<std::string, ReferenceInvoice>& invoices() const { return invoices_; }
    std::int64_t numbers() const { return numbers_; }

private:
    // The price that holds for a meter and a model; nothing: it costs nothing.
    static const ledger::Price* price_of(const Tenant& tenant, const std::string& meter, const std::string& model);
    static std::int64_t most(const Tenant& tenant, const Ask& ask);
    std::int64_t charge(Tenant& tenant, const Reservation& reservation, const Used& used, bool keep);
    std::int64_t rated(Tenant& tenant, const ledger::Price& price, std::int64_t month, std::int64_t quantity,
                       bool keep);
    void burn(Tenant& tenant, const std::string& name, std::int64_t amount, Timestamp now);
    void let_go(Reservation& reservation, const char* state);
    void end(ReferenceGrant& grant, const std::string& id, const char* state);
    Reservation& open_one(const std::string& request);

    std::map<std::string, Tenant> tenants_;
    std::map<std::string, Reservation> reservations_;
    std::map<std::string, Billed> billed_;
    std::map<std::string, ReferenceGrant> grants_;
    std::map<std::string, std::string> grant_tenants_;
    std::map<std::string, ReferenceKey> keys_;
    std::map<std::string, ReferenceInvoice> invoices_;
    std::map<std::string, std::int64_t> payments_;
    std::int64_t numbers_ = 0;
};

// The start of a UTC calendar month, and of the one after it.
std::int64_t month_start(Timestamp instant);
std::int64_t next_month(std::int64_t start);

}  // namespace rootstock::simulation
