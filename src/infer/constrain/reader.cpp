#include "infer/constrain/reader.h"

#include <algorithm>

namespace rootstock::constrain {

namespace {

constexpr std::int32_t many_rounds = 1 << 30;

}  // namespace

Reader::Reader(const Network& network) : Reader(network, Call{0, 1, 1}) {
    begin_place();
    places_.back().ended = network.empty_text();
    if (network.some_text()) add({network.rule(0).begin, 0, 0});
    close();
}

// The calls that begin at `state` are not followed: whoever stands at the state has followed them.
Reader Reader::within(const Network& network, int state, bool stop) {
    Reader reader(network, Call{network.state(state).rule, 0, many_rounds});
    reader.stop_ = stop;
    reader.begin_place();
    reader.add({state, 0, 0});
    return reader;
}

std::span<const Configuration> Reader::configurations() const {
    return std::span(configurations_).subspan(places_.back().first_configuration);
}

void Reader::begin_place() { places_.push_back({configurations_.size(), contexts_.size(), links_.size()}); }

bool Reader::push(std::uint8_t byte) {
    const auto begin = places_.back().first_configuration, end = configurations_.size();
    begin_place();
    for (auto i = begin; i < end; ++i) {
        const auto from = configurations_[i];
        ++work_;
        if (!may_leave(from)) continue;
        if (const int to = network_->follow(from.state, byte); to >= 0) arrive(to, from.context, from.rounds);
    }
    close();
    return alive();
}

void Reader::pop() {
    const auto place = places_.back();
    places_.pop_back();
    configurations_.resize(place.first_configuration);
    contexts_.resize(place.first_context);
    links_.resize(place.first_link);
}

void Reader::settle() {
    auto place = places_.back();
    configurations_.erase(configurations_.begin(),
                          configurations_.begin() + static_cast<std::ptrdiff_t>(place.first_configuration));
    place.first_configuration = 0;
    places_.assign(1, place);
    if (contexts_.size() + links_.size() > 2 * kept_ + 1024) keep_reachable();
}

// Contexts and links that no reading needs any more go; the others move together.
void Reader::keep_reachable() {
    std::vector<std::int32_t> moved(contexts_.size(), -1);
    std::vector<std::int32_t> open{0};
    for (const auto& configuration : configurations_) open.push_back(configuration.context);
    while (!open.empty()) {
        const auto at = static_cast<std::size_t>(open.back());
        open.pop_back();
        if (std::exchange(moved[at], 0) == 0) continue;
        for (auto link = contexts_[at].callers; link >= 0; link = links_[static_cast<std::size_t>(link)].next)
            open.push_back(links_[static_cast<std::size_t>(link)].context);
    }
    std::vector<Context> contexts;
    for (std::size_t i = 0; i < moved.size(); ++i)
        if (moved[i] == 0) {
            moved[i] = static_cast<std::int32_t>(contexts.size());
            contexts.push_back(contexts_[i]);
        }
    std::vector<Link> links;
    for (auto& context : contexts) {
        auto old = std::exchange(context.callers, -1);
        for (; old >= 0; old = links_[static_cast<std::size_t>(old)].next) {
            auto link = links_[static_cast<std::size_t>(old)];
            link.context = moved[static_cast<std::size_t>(link.context)];
            link.next = std::exchange(context.callers, static_cast<std::int32_t>(links.size()));
            links.push_back(link);
        }
    }
    for (auto& configuration : configurations_)
        configuration.context = moved[static_cast<std::size_t>(configuration.context)];
    contexts_ = std::move(contexts), links_ = std::move(links);
    kept_ = contexts_.size() + links_.size();
    places_.back().first_context = contexts_.size(), places_.back().first_link = links_.size();
}

Reader::Rounds Reader::rounds_left(const Configuration& configuration) const {
    const auto& call = contexts_[static_cast<std::size_t>(configuration.context)].call;
    return {std::max(call.min - configuration.rounds, 0),
            call.max == without_end ? many_rounds : call.max - configuration.rounds};
}

bool Reader::may_leave(const Configuration& configuration) const {
    return !network_->state(configuration.state).head || rounds_left(configuration).allowed > 0;
}

bool Reader::takes_bytes(const Configuration& configuration) const {
    return !network_->bytes(configuration.state).empty() && may_leave(configuration);
}

void Reader::arrive(int state, int context, int rounds) {
    if (network_->state(state).head) {
        if (stop_ && context == 0) {
            places_.back().at_head = true;
            return;
        }
        const auto& call = contexts_[static_cast<std::size_t>(context)].call;
        ++rounds;
        if (call.max == without_end) rounds = std::min(rounds, call.min);  // more make no difference
    }
    add({state, context, rounds});
}

// Where the one rounds are done, all can happen that can where the other ones are. A loop that asks for none only
// counts how many are left, so the fewer are done the better.
bool Reader::covers(int context, int rounds, int other_context, int other_rounds) const {
    if (context != other_context) return false;
    return rounds == other_rounds ||
           (rounds < other_rounds && contexts_[static_cast<std::size_t>(context)].call.min == 0);
}

void Reader::add(const Configuration& configuration) {
    auto& place = places_.back();
    const auto begin = configurations_.begin() + static_cast<std::ptrdiff_t>(place.first_configuration);
    work_ += 1 + static_cast<std::size_t>(configurations_.end() - begin) / 4;
    if (std::any_of(begin, configurations_.end(), [&](const auto& one) {
            return one.state == configuration.state &&
                   covers(one.context, one.rounds, configuration.context, configuration.rounds);
        }))
        return;
    const auto count = static_cast<std::size_t>(configurations_.end() - begin);
    if (count >= configurations_max && (place.goes_on || place.ended)) {
        dropped_ = true;
        return;
    }
    configurations_.push_back(configuration);
    place.goes_on = place.goes_on || takes_bytes(configuration);
}

void Reader::close() {
    for (auto i = places_.back().first_configuration; i < configurations_.size(); ++i) {
        const auto at = configurations_[i];
        const auto& state = network_->state(at.state);
        if (state.accepts && (!state.head || rounds_left(at).needed == 0)) end_rule(at.context);
        if (!may_leave(at)) continue;
        for (const auto& edge : network_->calls(at.state)) enter(edge, at);
    }
}

// A rule that ends where it began was empty, and its caller has gone around it.
void Reader::end_rule(int context) {
    if (context == 0) {
        places_.back().ended = true;
        return;
    }
    if (static_cast<std::size_t>(context) >= places_.back().first_context) return;
    for (auto link = contexts_[static_cast<std::size_t>(context)].callers; link >= 0;) {
        const auto caller = links_[static_cast<std::size_t>(link)];
        arrive(caller.state, caller.context, caller.rounds);
        link = caller.next;
    }
}

void Reader::enter(const CallEdge& edge, const Configuration& from) {
    const auto first = places_.back().first_context;
    auto found = first;
    while (found < contexts_.size() && contexts_[found].call != edge.call) ++found;
    work_ += 1 + (found - first) / 4;
    const bool fresh = found == contexts_.size();
    if (fresh) contexts_.push_back({edge.call, -1});
    const auto context = static_cast<std::int32_t>(found);
    // A caller that would only end is left out, and its own callers take its place: a list that is its last item's rest
    // does not grow a chain.
    if (network_->only_ends(edge.to) && from.context != 0 && static_cast<std::size_t>(from.context) < first) {
        for (auto link = contexts_[static_cast<std::size_t>(from.context)].callers; link >= 0;) {
            const auto caller = links_[static_cast<std::size_t>(link)];
            add_caller(context, caller.state, caller.context, caller.rounds);
            link = caller.next;
        }
    } else {
        add_caller(context, edge.to, from.context, from.rounds);
    }
    if (fresh) add({network_->rule(edge.call.rule).begin, context, 0});
}

void Reader::add_caller(int context, int state, int caller, int rounds) {
    auto& first = contexts_[static_cast<std::size_t>(context)].callers;
    int count = 0;
    for (auto link = first; link >= 0; link = links_[static_cast<std::size_t>(link)].next, ++count) {
        const auto& other = links_[static_cast<std::size_t>(link)];
        if (other.state == state && covers(other.context, other.rounds, caller, rounds)) return;
    }
    work_ += 1 + static_cast<std::size_t>(count) / 4;
    if (count >= callers_max) {
        dropped_ = true;
        return;
    }
    links_.push_back({state, caller, rounds, first});
    first = static_cast<std::int32_t>(links_.size()) - 1;
}

void Reader::push_return(const Configuration& from, bool at_head) {
    begin_place();
    if (at_head)
        arrive(network_->rule(network_->state(from.state).rule).begin, from.context, from.rounds);
    else
        end_rule(from.context);
    close();
}

std::int32_t Reader::own_cost(const Configuration& configuration) const {
    const auto& state = network_->state(configuration.state);
    const auto& rule = network_->rule(state.rule);
    std::int64_t cost = state.rest;
    if (rule.loop) {
        const auto needed = rounds_left(configuration).needed - (state.head ? 0 : 1);
        cost += static_cast<std::int64_t>(std::max(needed, 0)) * rule.shortest;
    }
    return static_cast<std::int32_t>(std::min<std::int64_t>(cost, far_away));
}

// Callers are mostly older than those they call, so one pass settles nearly all.
std::vector<std::int32_t> Reader::caller_costs() const {
    std::vector<std::int32_t> costs(contexts_.size(), far_away);
    costs[0] = 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t i = 1; i < contexts_.size(); ++i)
            for (auto link = contexts_[i].callers; link >= 0; link = links_[static_cast<std::size_t>(link)].next) {
                const auto cost = cost_through(links_[static_cast<std::size_t>(link)], costs);
                if (cost >= costs[i]) continue;
                costs[i] = cost, changed = true;
            }
    }
    return costs;
}

// Where the caller goes on: in its state, with one more round where that is the head of a loop.
std::int32_t Reader::cost_through(const Link& link, const std::vector<std::int32_t>& costs) const {
    const Configuration caller{link.state, link.context, link.rounds + (network_->state(link.state).head ? 1 : 0)};
    return std::min(own_cost(caller) + 1 + costs[static_cast<std::size_t>(link.context)], far_away);
}

std::int32_t Reader::bytes_to_end() const {
    if (ended()) return 0;
    const auto costs = caller_costs();
    auto best = far_away;
    for (const auto& at : configurations())
        best = std::min(best, own_cost(at) + costs[static_cast<std::size_t>(at.context)]);
    return best;
}

void Reader::write_end(Configuration at, std::string& text) const {
    network_->write_rest(at.state, text);
    const auto& state = network_->state(at.state);
    if (!network_->rule(state.rule).loop) return;
    const auto needed = rounds_left(at).needed - (state.head ? 0 : 1);
    if (needed > 0) network_->write_shortest({state.rule, needed, needed}, text);
}

std::string Reader::shortest_end() const {
    if (ended()) return {};
    const auto costs = caller_costs();
    const auto cost = [&](const Configuration& at) {
        return own_cost(at) + costs[static_cast<std::size_t>(at.context)];
    };
    auto at = *std::ranges::min_element(configurations(), {}, cost);
    std::string text;
    write_end(at, text);
    while (at.context != 0) {
        const auto& context = contexts_[static_cast<std::size_t>(at.context)];
        auto best = context.callers;
        for (auto link = best; link >= 0; link = links_[static_cast<std::size_t>(link)].next)
            if (cost_through(links_[static_cast<std::size_t>(link)], costs) <
                cost_through(links_[static_cast<std::size_t>(best)], costs))
                best = link;
        const auto& caller = links_[static_cast<std::size_t>(best)];
        at = {caller.state, caller.context, caller.rounds + (network_->state(caller.state).head ? 1 : 0)};
        write_end(at, text);
    }
    return text;
}

}  // namespace rootstock::constrain
