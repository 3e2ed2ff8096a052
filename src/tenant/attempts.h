#pragma once
// Signing in is tried by who guesses, too: after ten failures in a minute from one address at one account that pair
// waits, a minute first and twice as long every time after, up to an hour. The account's own person, who comes from
// somewhere else, is not locked out by it. An address that fails at many accounts waits likewise after fifty.
//
// In memory, bounded; used on one thread. Times are monotonic seconds.

#include <map>
#include <string>

#include "base/base.h"

namespace rootstock::tenant {

class Attempts {
public:
    // Until the next try may be made; 0: now.
    double seconds_to_wait(const std::string& address, const std::string& account, double now) const;
    void failed(const std::string& address, const std::string& account, double now);
    void succeeded(const std::string& address, const std::string& account);

private:
    struct Counted {
        int failures = 0;
        double since = 0;    // when this minute began
        double until = 0;    // waits until then
        double penalty = 0;  // how long it waited last
    };
    void count(const std::string& who, int most, double now);
    double wait_of(const std::string& who, double now) const;
    void forget(double now);

    std::map<std::string, Counted> counted_;
};

}  // namespace rootstock::tenant
