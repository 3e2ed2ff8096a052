#include "world.h"

#include <algorithm>
#include <cstdio>

namespace rootstock::simulation {
void Tally::add(const Tally& more) {
    steps += more.steps;
    requests += more.requests;
    billed += more.billed;
    late += more.late;
    at_marks += more.at_marks;
    refused += more.refused;
    replays += more.replays;
    faults += more.faults;
    deaths += more.deaths;
    invoices += more.invoices;
}

World::World(const Options& options, const std::filesystem::path& start, Server& server, Wire& wire)
    : options_(options), dice_(options.seed), server_(server), storage_(start, wire, dice_.roll()) {
    for (const auto& customer : customers()) {
        reference_.open(customer.tenant.text(), customer.plan);
        if (customer.invoiced) invoiced_[customer.tenant.text()] = opening.micros;
    }
}

void World::trace(const std::string& line) const {
    if (options_.trace)
        std::printf("%4lld %s  %s\n", static_cast<long long>(tally_.steps), to_iso8601(now_).c_str(), line.c_str());
}

void World::run() {
    try {
        restart();
        for (int i = 0; i < options_.steps; ++i) {
            ++tally_.steps;
            step();
            check();
            if (i % 20 == 19) verify();
        }
        drain();
    } catch (const Violation& violation) {
        throw Violation("step " + std::to_string(tally_.steps) + ": " + violation.what());
    }
    tally_.billed = static_cast<std::int64_t>(reference_.billed().size());
    for (const auto& [request, one] : reference_.billed()) {
        tally_.late += one.late;
        tally_.at_marks += one.at_mark;
    }
    tally_.invoices = static_cast<std::int64_t>(reference_.invoices().size());
}

// ---- transactions ----

bool World::commit(std::vector<Work> works) {
    Fault fault = Fault::none;
    int at = 0;
    if (faults_ && dice_.percent(12)) {
        fault = static_cast<Fault>(dice_.from(1, faults - 1));
        at = static_cast<int>(dice_.from(0, 8 * static_cast<std::int64_t>(works.size())));
    }
    std::vector<Storage::Work> runs;
    for (const Work& one : works) runs.push_back([&one](store::Session& session) { return one.run(session); });
    const auto outcome = storage_.commit(std::move(runs), fault, at);
    if (outcome.struck) {
        ++tally_.faults;
        tally_.deaths += outcome.died;
        trace(std::string("fault: ") + name(fault) + (outcome.kept ? ", kept" : ", lost"));
        shut_ = shut_ || fault == Fault::sync;
    }
    if (outcome.kept || !outcome.struck)
        for (const Work& one : works) one.stood();
    if (outcome.died) return true;
    for (std::size_t i = 0; i < works.size(); ++i) works[i].told(outcome.told[i]);
    std::erase_if(live_, [](const auto& live) { return live->over; });
    return false;
}

void World::commit_one(Work work) {
    std::vector<Work> works;
    works.push_back(std::move(work));
    if (commit(std::move(works))) restart();
}

// ---- time and death ----

void World::pass_time() {
    now_.micros += dice_.from(1'000, 200'000);
    if (dice_.percent(6)) now_.micros += dice_.from(1, 90) * second;
    if (dice_.percent(3)) now_.micros += dice_.from(1, 20) * hour;
    if (dice_.percent(2)) now_.micros = next_month(month_start(now_)) + dice_.from(1, 3600) * second;
}

// What was in memory is gone; callers hear nothing. The new process may find another time on its machine's clock.
void World::restart() {
    for (bool begun = false; !begun;) {
        trace("a process starts");
        for (const auto& live : live_)
            if (!live->stray) orders_[live->order].waiting = !orders_[live->order].answered;
        live_.clear();
        shut_ = false;
        storage_.restart();
        if (dice_.percent(15))
            now_.micros = std::max({now_.micros - dice_.from(1, hour), billed_until_, opening.micros});
        if (dice_.percent(10)) now_.micros += dice_.from(1, 2 * day);
        now_.micros += dice_.from(1'000, 5 * second);
        run_ = mint("run");
        std::vector<Work> works;
        works.push_back(work<void>(
            [this, run = run_, now = now_](store::Session& session) { return server_.recover(session, run, now); },
            [this, run = run_, now = now_](const Result<void>&) { reference_.recovered(run, now); },
            [&begun](const Result<void>& recovered) { begun = recovered.has_value(); }));
        if (commit(std::move(works))) begun = false;
    }
    check();
    verify();
}

void World::step() {
    pass_time();
    if (shut_ && dice_.percent(40)) return restart();
    const auto chance = dice_.from(1, 100);
    if (chance <= 22) {
        new_order();
        send(orders_.size() - 1);
    } else if (chance <= 28) {
        send_again();
    } else if (chance <= 34) {
        sweep();
    } else if (chance <= 41) {
        grant();
    } else if (chance <= 42) {
        void_grant();
    } else if (chance <= 45) {
        invoice();
    } else if (chance <= 47) {
        pay();
    } else if (chance <= 48) {
        void_invoice();
    } else if (chance <= 50) {
        restart();
    }
    for (std::size_t i = 0; i < orders_.size(); ++i)
        if (orders_[i].waiting && dice_.percent(15)) send(i);
    serve();
}

// ---- the end ----

// Everybody is answered once the faults are over; then nothing is held, and asking again changes nothing.
void World::drain() {
    faults_ = false;
    trace("the faults are over");
    if (shut_) restart();
    serve_all();
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < orders_.size(); ++i)
            if (orders_[i].waiting) send(i);
        serve_all();
        now_.micros += 61 * second;  // past the lease of keys whose run did not free them
    }
    now_.micros += 700 * second;
    sweep();
    check();
    for (const auto& [request, one] : reference_.reservations())
        if (one.state == "pending") throw Violation(request + " is held at the end");
    for (const auto& [tenant, one] : reference_.tenants()) {
        if (one.held != 0) throw Violation(tenant + " has " + std::to_string(one.held) + " on hold at the end");
        for (const auto& [key, allowance] : one.allowances)
            if (allowance.held != 0) throw Violation(tenant + " has an allowance on hold at the end");
    }
    verify();
    ask_keys_again();
    check_told();
}

void World::serve_all() {
    while (!live_.empty()) serve();
}

void World::ask_keys_again() {
    const auto transfers = [](store::Session& session) {
        return session.value<std::int64_t>("SELECT COUNT(*) FROM ledger_transfer");
    };
    const auto before = storage_.see(transfers);
    for (std::size_t i = 0; i < orders_.size(); ++i)
        if (orders_[i].answered && !orders_[i].request.key.empty()) {
            if (!reference_.answers(orders_[i].request.key, now_)) continue;  // it was a day ago
            send(i);
        }
    serve_all();
    check();
    if (storage_.see(transfers) != before) throw Violation("asking again with the same keys moved money");
}

}  // namespace rootstock::simulation
