#pragma once
// One run of the simulation: customers, a server that can die, a storage that can fail and a clock that jumps, all out
// of one seed. After every step the books are held against the Reference.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "customers.h"
#include "dice.h"
#include "reference.h"
#include "server.h"
#include "storage.h"

namespace rootstock::simulation {

inline constexpr std::int64_t second = 1'000'000, hour = 3600 * second, day = 24 * hour;

struct Options {
    std::uint64_t seed = 0;
    int steps = 160;
    bool trace = false;
};

struct Tally {
    std::int64_t steps = 0, requests = 0, billed = 0, late = 0, at_marks = 0, refused = 0, replays = 0, faults = 0,
                 deaths = 0, invoices = 0;
    void add(const Tally& more);
};

class World {
public:
    World(const Options& options, const std::filesystem::path& start, Server& server, Wire& wire);

    // Throws Violation, whose sentence begins with the step.
    void run();
    const Tally& tally() const { return tally_; }

private:
    // What a customer wants, for as long as there is no answer.
    struct Order {
        std::size_t customer = 0;
        Request request;      // as it is sent next
        bool waiting = true;  // to be sent (again)
        bool answered = false;
    };
    enum class Phase { claim, reserve, write, settle, free_key, give_up };
    struct Live {
        std::size_t order = 0;
        Request request;
        Phase phase = Phase::claim;
        bool stray = false;  // sent by mistake, with another body: its customer does not wait for it
        bool over = false;
    };

    // One transaction. `stood` follows when it is on the disk (or its refusal holds), in the order of the group; `told`
    // is what the server does with the store's answer; nobody does when it died.
    struct Work {
        std::function<Result<void>(store::Session&)> run;
        std::function<void()> stood = [] {};
        std::function<void(const Result<void>&)> told = [](const Result<void>&) {};
    };
    // Runs the works as one group; did the process die of it?
    bool commit(std::vector<Work> works);
    // The same for one; a death is followed by a restart.
    void commit_one(Work work);
    template <typename T>
    Work work(
        std::function<Result<T>(store::Session&)> run, std::function<void(const Result<T>&)> stood,
        std::function<void(const Result<T>&)> told = [](const Result<T>&) {});

    // ---- what may happen ----
    void step();
    void serve();
    std::optional<Work> next_work(Live& live);
    Work claim(Live& live);
    Work reserve(Live& live);
    std::optional<Work> write(Live& live);
    Work settle(Live& live);
    Work free_key(Live& live);
    Work give_up(Live& live);
    void finish(Live& live, bool answered);  // as its customer sees it
    void new_order();
    Live& send(std::size_t order);
    void send_again();
    void sweep();
    void grant();
    void void_grant();
    void invoice();
    void pay();
    void void_invoice();
    void pass_time();
    void restart();
    void drain();
    void serve_all();
    void ask_keys_again();

    // ---- what must hold ----
    void check();
    void check_folds(store::Session& session) const;
    void check_books(store::Session& session) const;
    void check_requests(store::Session& session) const;
    void check_rest(store::Session& session) const;
    void verify();
    void check_told();

    void trace(const std::string& line) const;
    std::string mint(const char* prefix) { return std::string(prefix) + "_" + std::to_string(1'000'000 + ++minted_); }

    const Options options_;
    Dice dice_;
    Server& server_;
    Storage storage_;
    Reference reference_;
    Timestamp now_ = opening;
    std::int64_t billed_until_ = 0;  // ends of invoiced periods: the clock does not go behind them
    std::string run_;
    std::vector<Order> orders_;
    std::vector<std::unique_ptr<Live>> live_;
    std::vector<std::pair<std::string, std::int64_t>> told_;  // requests whose answers arrived, and what they cost
    std::map<std::string, std::int64_t> invoiced_;            // by tenant: the next period's start
    std::vector<std::tuple<std::string, std::string, std::int64_t>> payments_;  // invoice, reference, amount
    Tally tally_;
    std::int64_t minted_ = 0;
    bool faults_ = true;  // may come
    bool shut_ = false;   // the store lost a sync: only a restart helps
};

template <typename T>
World::Work World::work(std::function<Result<T>(store::Session&)> run, std::function<void(const Result<T>&)> stood,
                        std::function<void(const Result<T>&)> told) {
    auto value = std::make_shared<std::optional<Result<T>>>();
    Work made;
    made.run = [value, run = std::move(run)](store::Session& session) -> Result<void> {
        value->reset();  // nothing came of it, should a fault end it
        value->emplace(run(session));
        if (!**value) return fail((*value)->error());
        return {};
    };
    made.stood = [value, stood = std::move(stood)] {
        if (*value) stood(**value);
    };
    made.told = [this, value, told = std::move(told)](const Result<void>& outcome) {
        const bool fine = *value && (*value)->has_value();
        if (server_.tells_success(fine, outcome.has_value())) return told(**value);
        told(fail(outcome ? Error{} : outcome.error()));
    };
    return made;
}

}  // namespace rootstock::simulation
