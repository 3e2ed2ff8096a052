// Figures of the books, on the disk of the working folder (or --folder), with every commit synced:
//
//   ledger_bench [--folder DIR | --store postgres://...] [--events N] [--flight N] [--json]
//
// One caller alone: the time of a reserve and of a post, durable. Many at once: requests reserved and posted per
// second with N in flight, which share commits.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <latch>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "tenant/tenant.h"

namespace rootstock {
namespace {

struct Options {
    std::filesystem::path folder = std::filesystem::current_path();
    std::string store;  // an empty database of a PostgreSQL server instead
    int events = 20'000;
    int flight = 64;
    bool json = false;
};

Options read_options(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        const bool last = i + 1 == count;
        if (word == "--json")
            options.json = true;
        else if (word == "--folder" && !last)
            options.folder = words[++i];
        else if (word == "--store" && !last)
            options.store = words[++i];
        else if (word == "--events" && !last)
            options.events = std::max(1, std::atoi(words[++i]));
        else if (word == "--flight" && !last)
            options.flight = std::max(1, std::atoi(words[++i]));
    }
    return options;
}

void print(const Options& options, const char* name, double value, const char* unit) {
    if (options.json)
        std::printf("%s\n",
                    json::serialize(json::object{{"bench", "ledger"}, {"name", name}, {"value", value}, {"unit", unit}})
                        .c_str());
    else
        std::printf("%-44s %10.3f %s\n", name, value, unit);
}

struct Bench {
    Options options;
    store::Database& records;
    TenantId tenant{"ten_bench"};
    Clock& clock = system_clock();

    ledger::ReserveRequest order() {
        const auto now = clock.now();
        return {mint<RequestTag>(now), tenant, ApiKeyId("key_bench"), "minilm", 128, {now.micros + 60'000'000}, "run"};
    }
    ledger::Settlement answer(const RequestId& request) {
        return {request, "classify", "minilm", "intent@1", {16, 1, 1200}, AdapterId("ada_1")};
    }
    Result<ledger::Charge> post(store::Session& session, const RequestId& request) {
        return ledger::post(session, answer(request), clock.now());
    }
};

template <typename F>
std::vector<double> times_of(int count, F step) {
    std::vector<double> times;
    for (int i = 0; i < count; ++i) {
        const double start = monotonic_seconds();
        step(i);
        times.push_back((monotonic_seconds() - start) * 1e3);
    }
    std::ranges::sort(times);
    return times;
}

void print_times(const Options& options, const std::string& name, const std::vector<double>& times) {
    print(options, (name + ", median").c_str(), times[times.size() / 2], "ms");
    print(options, (name + ", 99th of 100").c_str(), times[times.size() * 99 / 100], "ms");
}

void one_alone(Bench& bench) {
    std::vector<RequestId> requests;
    print_times(bench.options, "reserve, one caller, durable", times_of(500, [&](int) {
                    const auto order = bench.order();
                    auto held = bench.records.write_now(
                        [&](store::Session& session) { return ledger::reserve(session, order, bench.clock.now()); });
                    ROOTSTOCK_CHECK(held.has_value(), "the bench's tenant has credit");
                    requests.push_back(order.request);
                }));
    print_times(bench.options, "post, one caller, durable", times_of(500, [&](int i) {
                    auto charge = bench.records.write_now([&](store::Session& session) {
                        return bench.post(session, requests[static_cast<std::size_t>(i)]);
                    });
                    ROOTSTOCK_CHECK(charge.has_value(), "a held request posts");
                }));
}

// Keeps `flight` requests going: each is reserved, then posted, and then the next one starts.
class Flight {
public:
    explicit Flight(Bench& bench) : bench_(bench), left_(bench.options.events), done_(bench.options.flight) {}

    void run() {
        for (int i = 0; i < bench_.options.flight; ++i) start();
        done_.wait();
    }

private:
    void start() {
        if (left_.fetch_sub(1) <= 0) return done_.count_down();
        const auto order = bench_.order();
        bench_.records.write_value(
            [this, order](store::Session& session) { return ledger::reserve(session, order, bench_.clock.now()); },
            [this, request = order.request](const Result<ledger::Hold>& held) {
                ROOTSTOCK_CHECK(held.has_value(), "the bench's tenant has credit");
                settle(request);
            });
    }
    void settle(const RequestId& request) {
        bench_.records.write_value([this, request](store::Session& session) { return bench_.post(session, request); },
                                   [this](const Result<ledger::Charge>& charge) {
                                       ROOTSTOCK_CHECK(charge.has_value(), "a held request posts");
                                       start();
                                   });
    }

    Bench& bench_;
    std::atomic<int> left_;
    std::latch done_;
};

void many_at_once(Bench& bench) {
    Flight flight(bench);
    const double start = monotonic_seconds();
    flight.run();
    const double seconds = monotonic_seconds() - start;
    print(bench.options, ("reserved and posted, " + std::to_string(bench.options.flight) + " in flight").c_str(),
          bench.options.events / seconds, "events/s");
}

void keys(Bench& bench) {
    auto secret = bench.records.write_now([&](store::Session& session) -> Result<std::string> {
        ROOTSTOCK_TRY(owner, tenant::create(session, "bench", bench.clock.now()));
        ROOTSTOCK_TRY(key, tenant::create_key(session, owner.id, "", {}, bench.clock.now()));
        return key.secret;
    });
    ROOTSTOCK_CHECK(secret.has_value(), "a new database takes a tenant");
    print_times(bench.options, "authenticate", times_of(2000, [&](int) {
                    auto caller = bench.records.read([&](store::Session& session) {
                        return tenant::authenticate(session, *secret, bench.clock.now());
                    });
                    ROOTSTOCK_CHECK(caller.has_value(), "the key is right");
                }));
}

int run(const Options& options) {
    const auto folder = options.folder / ("ledger_bench." + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    {
        auto migrations = tenant::migrations();
        for (auto& migration : ledger::migrations()) migrations.push_back(std::move(migration));
        const auto where = options.store.empty() ? store::Location(folder / "records.db")
                                                 : store::Location::parse(options.store).value();
        auto records = store::Database::open(where, migrations);
        ROOTSTOCK_CHECK(records.has_value(), "a new folder or an empty database takes the records");
        Bench bench{options, **records};
        auto ready = (*records)->write_now([&](store::Session& session) -> Result<void> {
            ledger::Plan plan{"bench",
                              1,
                              "USD",
                              Micros{1'000'000'000'000'000},
                              {ledger::unit_price("input_tokens", "", Micros{20'000}, 1000)}};
            ROOTSTOCK_CHECKED(ledger::add_plan_version(session, plan, bench.clock.now()));
            return ledger::open_books(session, bench.tenant, "bench", bench.clock.now());
        });
        ROOTSTOCK_CHECK(ready.has_value(), "a new database takes a plan");
        keys(bench);
        one_alone(bench);
        many_at_once(bench);
        const double start = monotonic_seconds();
        auto books = (*records)->read(
            [](store::Session& session) -> Result<ledger::Verification> { return ledger::verify(session); });
        ROOTSTOCK_CHECK(books && books->problems.empty(), "the books balance");
        print(options, "verify all of it", monotonic_seconds() - start, "s");
    }
    std::filesystem::remove_all(folder);
    return 0;
}

}  // namespace
}  // namespace rootstock

int main(int count, char** words) { return rootstock::run(rootstock::read_options(count, words)); }
