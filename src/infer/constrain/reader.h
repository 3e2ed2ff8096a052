#pragma once
// Reads a text byte by byte along a network, following all its readings at once (Earley, 1970). The reader keeps a
// stack of places, one per byte read, so that many continuations of one text can be tried: push() goes one byte on,
// pop() takes it back, settle() forgets the way and keeps the last place.
//
// A place holds configurations: a state, the context it runs in, and the rounds done where the state belongs to a loop.
// A context is one call of a rule at one place; it knows by whom it was called, which may be many: where the rule ends,
// all of them go on. All that is kept can be completed, so dropping a reading never makes a wrong text right: a place
// keeps at most `configurations_max` of them, and a grammar more ambiguous than that loses some of its texts, not its
// promise.

#include <cstdint>
#include <string>
#include <vector>

#include "infer/constrain/network.h"

namespace rootstock::constrain {

struct Configuration {
    std::int32_t state = 0, context = 0, rounds = 0;
    bool operator==(const Configuration&) const = default;
};

class Reader {
public:
    // At the beginning of a text.
    explicit Reader(const Network& network);
    // At `state` of some rule, knowing nothing of its caller: the caller is reached where ended() says so. With `stop`,
    // coming back to the head of the rule counts as reaching it too; without, rounds are counted there.
    static Reader within(const Network& network, int state, bool stop);

    bool push(std::uint8_t byte);  // false: no reading goes on so; the place is pushed nevertheless
    void pop();
    void settle();  // forgets all places but the last
    std::size_t places() const { return places_.size(); }

    std::span<const Configuration> configurations() const;
    bool ended() const { return places_.back().ended; }      // the text, or the rule, may end here
    bool at_head() const { return places_.back().at_head; }  // see within()
    bool goes_on() const { return places_.back().goes_on; }  // some byte may follow
    bool alive() const { return goes_on() || ended() || at_head(); }
    std::size_t work() const { return work_; }  // configurations looked at so far
    bool dropped() const { return dropped_; }   // a reading, ever

    // A place of its own from which the callers of `context` go on; or, for `at_head`, the loop itself.
    void push_return(const Configuration& from, bool at_head);

    // What the rule of a context still asks and allows.
    struct Rounds {
        std::int32_t needed = 0, allowed = 0;
    };
    Rounds rounds_left(const Configuration& configuration) const;
    bool takes_bytes(const Configuration& configuration) const;

    std::int32_t bytes_to_end() const;  // never less than shortest_end() has
    std::string shortest_end() const;   // bytes that complete the text

private:
    struct Context {
        Call call;
        std::int32_t callers = -1;  // the first link
    };
    struct Link {
        std::int32_t state, context, rounds, next;  // where the caller goes on
    };
    struct Place {
        std::size_t first_configuration = 0, first_context = 0, first_link = 0;
        bool ended = false, at_head = false, goes_on = false;
    };
    static constexpr std::size_t configurations_max = 256;
    static constexpr int callers_max = 64;

    Reader(const Network& network, Call call) : network_(&network), contexts_{{call, -1}} {}
    void begin_place();
    void arrive(int state, int context, int rounds);
    void add(const Configuration& configuration);
    bool covers(int context, int rounds, int other_context, int other_rounds) const;
    bool may_leave(const Configuration& configuration) const;
    void close();  // follows calls and ends until nothing is new
    void enter(const CallEdge& edge, const Configuration& from);
    void end_rule(int context);
    void add_caller(int context, int state, int caller, int rounds);
    void keep_reachable();
    std::int32_t own_cost(const Configuration& configuration) const;  // to the end of its rule
    std::vector<std::int32_t> caller_costs() const;                   // by context: from the end of its rule on
    std::int32_t cost_through(const Link& link, const std::vector<std::int32_t>& costs) const;
    void write_end(Configuration at, std::string& text) const;  // to the end of its rule

    const Network* network_;
    std::vector<Configuration> configurations_;
    std::vector<Context> contexts_;  // 0: the text itself, or the caller that is not known
    std::vector<Link> links_;
    std::vector<Place> places_;
    std::size_t work_ = 0, kept_ = 0;
    bool stop_ = false, dropped_ = false;
};

}  // namespace rootstock::constrain
