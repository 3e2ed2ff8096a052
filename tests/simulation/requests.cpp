// Customers and their requests: what is asked, step by step what the server does, and what its customer makes of it.
#include "world.h"

#include <algorithm>

namespace rootstock::simulation {

void World::new_order() {
    static const int shares[] = {0, 0, 0, 1, 2, 2, 3};
    Order order;
    order.customer = static_cast<std::size_t>(dice_.one_of(shares, std::size(shares)));
    const Customer& customer = customers()[order.customer];
    Request& request = order.request;
    request.tenant = customer.tenant;
    if (dice_.percent(60)) request.key = mint("key");
    request.body = mint("body");
    request.ask.model = customer.models[static_cast<std::size_t>(dice_.roll()) % customer.models.size()];
    request.ask.input = dice_.from(1, customer.input_max);
    request.cached = dice_.percent(30) ? dice_.from(0, request.ask.input) : 0;
    request.ask.output_max = dice_.percent(20) ? 0 : dice_.from(1, customer.output_max);
    request.wanted = dice_.percent(40) ? request.ask.output_max : dice_.from(0, request.ask.output_max);
    orders_.push_back(std::move(order));
}

World::Live& World::send(std::size_t order) {
    ++tally_.requests;
    auto live = std::make_unique<Live>();
    live->order = order;
    live->request = orders_[order].request;
    Request& request = live->request;
    request.id = RequestId(mint("req"));
    request.ask.request = request.id.text();
    request.ask.run = run_;
    request.ask.expires = {now_.micros + (dice_.percent(50) ? 120 : 660) * second};
    live->phase = request.key.empty() ? Phase::reserve : Phase::claim;
    orders_[order].waiting = false;
    live_.push_back(std::move(live));
    return *live_.back();
}

// The network or a customer repeats itself: the same key at any time, sometimes with another body.
void World::send_again() {
    if (orders_.empty()) return;
    const auto order = static_cast<std::size_t>(dice_.roll()) % orders_.size();
    if (orders_[order].request.key.empty()) return;
    const bool waits = orders_[order].waiting;
    Live& live = send(order);
    if (!dice_.percent(15)) return;
    live.request.body = mint("body");
    live.stray = true;
    orders_[order].waiting = waits;
}

void World::serve() {
    std::vector<Work> works;
    const auto wished = dice_.from(1, 5);
    std::vector<Live*> all;
    for (const auto& live : live_) all.push_back(live.get());
    for (std::int64_t i = 0; i < wished && !all.empty(); ++i) {
        const auto chosen = static_cast<std::size_t>(dice_.roll()) % all.size();
        if (auto one = next_work(*all[chosen])) works.push_back(std::move(*one));
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
    if (!works.empty() && commit(std::move(works))) restart();
}

std::optional<World::Work> World::next_work(Live& live) {
    switch (live.phase) {
        case Phase::claim:
            return claim(live);
        case Phase::reserve:
            return reserve(live);
        case Phase::write:
            return write(live);
        case Phase::settle:
            return settle(live);
        case Phase::give_up:
            return give_up(live);
        case Phase::free_key:
            return free_key(live);
    }
    return std::nullopt;
}

World::Work World::claim(Live& live) {
    using State = ledger::IdempotencyState;
    const Request request = live.request;
    trace(request.id.text() + " claims " + request.key);
    return work<ledger::Idempotency>(
        [this, request, now = now_](store::Session& session) { return server_.claim(session, request, now); },
        [this, request, now = now_](const Result<ledger::Idempotency>& claimed) {
            if (!claimed) throw Violation("a key is refused: " + claimed.error().message);
            const auto expected = reference_.claimed(request.key, request.body, request.id.text(), now);
            if (claimed->state != expected)
                throw Violation(request.id.text() + " with the key " + request.key + " is answered " +
                                std::to_string(static_cast<int>(claimed->state)) + " where it should be " +
                                std::to_string(static_cast<int>(expected)) +
                                " (0 fresh, 1 replay, 2 running, 3 other)");
            if (expected == State::replay && claimed->body != reference_.key(request.key).answer)
                throw Violation("the key " + request.key + " is answered with another answer than before");
        },
        [this, &live](const Result<ledger::Idempotency>& claimed) {
            if (claimed && claimed->state == State::fresh) {
                live.phase = Phase::reserve;
                return;
            }
            tally_.replays += claimed && claimed->state == State::replay;
            finish(live, claimed && claimed->state == State::replay);
        });
}

World::Work World::reserve(Live& live) {
    const Request request = live.request;
    trace(request.id.text() + " reserves");
    return work<ledger::Hold>(
        [this, request, now = now_](store::Session& session) { return server_.reserve(session, request, now); },
        [this, request, now = now_](const Result<ledger::Hold>& held) {
            if (held) return reference_.admitted(request.tenant.text(), request.ask, held->amount.value, now);
            ++tally_.refused;
            reference_.refused(request.tenant.text(), request.ask, held.error(), now);
        },
        [this, &live](const Result<ledger::Hold>& held) {
            if (held) {
                live.phase = live.request.wanted > 0 ? Phase::write : Phase::settle;
            } else if (!live.request.key.empty()) {
                live.phase = Phase::free_key;
            } else {
                finish(live, false);
            }
        });
}

// Some tokens more; its caller may leave, or the machine fail. A mark now and then, for which nobody waits.
std::optional<World::Work> World::write(Live& live) {
    Request& request = live.request;
    request.written = std::min(request.wanted, request.written + dice_.from(1, 48));
    if (request.written == request.wanted) live.phase = Phase::settle;
    if (dice_.percent(6)) {
        request.left = true;
        live.phase = Phase::settle;
    }
    if (dice_.percent(5)) live.phase = Phase::give_up;
    if (request.written - request.marked < 32 && !dice_.percent(20)) return std::nullopt;
    request.marked = request.written;
    trace(request.id.text() + " marks " + std::to_string(request.written));
    return work<void>(
        [this, request](store::Session& session) -> Result<void> {
            server_.mark(session, request);
            return {};
        },
        [this, request](const Result<void>&) { reference_.marked(request.id.text(), request.written); });
}

World::Work World::settle(Live& live) {
    const Request request = live.request;
    trace(request.id.text() + " settles " + std::to_string(request.written));
    return work<ledger::Charge>(
        [this, request, now = now_](store::Session& session) { return server_.settle(session, request, now); },
        [this, request, now = now_](const Result<ledger::Charge>& charge) {
            const auto& id = request.id.text();
            if (!charge) {
                if (charge.error().code == ErrorCode::insufficient_quota)
                    return reference_.refused_late(id, request.used());
                if (charge.error().reason == "idempotency_lost" && !reference_.runs(request.key, id)) return;
                throw Violation(id + " is not settled: " + charge.error().message);
            }
            const auto amount = reference_.posted(id, request.used(), now);
            if (charge->amount.value != amount)
                throw Violation(id + " is charged " + std::to_string(charge->amount.value) + " where it costs " +
                                std::to_string(amount));
            if (request.key.empty()) return;
            if (request.left) return reference_.abandoned(request.key, id);
            reference_.finished(request.key, id, request.answer(), now);
        },
        [this, &live](const Result<ledger::Charge>& charge) {
            if (!charge) {
                live.phase = Phase::give_up;
                return;
            }
            told_.emplace_back(live.request.id.text(), charge->amount.value);
            finish(live, !live.request.left);
        });
}

World::Work World::give_up(Live& live) {
    const Request request = live.request;
    trace(request.id.text() + " is given up");
    return work<void>(
        [this, request, now = now_](store::Session& session) { return server_.give_up(session, request, now); },
        [this, request](const Result<void>& given) {
            if (given) return reference_.voided(request.id.text());
            if (!reference_.billed().contains(request.id.text()))
                throw Violation(request.id.text() + " is not given up: " + given.error().message);
        },
        [this, &live](const Result<void>&) {
            live.phase = Phase::free_key;
            if (live.request.key.empty()) finish(live, false);
        });
}

World::Work World::free_key(Live& live) {
    const Request request = live.request;
    return work<void>([this, request](store::Session& session) { return server_.free_key(session, request); },
                      [this, request](const Result<void>&) { reference_.abandoned(request.key, request.id.text()); },
                      [this, &live](const Result<void>&) { finish(live, false); });
}

void World::finish(Live& live, bool answered) {
    live.over = true;
    if (live.stray) return;
    Order& order = orders_[live.order];
    order.answered = order.answered || answered;
    order.waiting = !order.answered && dice_.percent(70);
}

}  // namespace rootstock::simulation
