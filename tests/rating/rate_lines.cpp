// Rates what stands on standard input, a line each: DECIMALS QUANTITY RATING (as JSON). Answers with the amount and the
// most that the quantity may add, a line each, or with "-" where an amount would not fit.

#include <iostream>
#include <string>

#include "ledger/rating.h"

using namespace rootstock;

namespace {

std::string text_of(const Result<std::int64_t>& amount) { return amount ? std::to_string(*amount) : "-"; }

}  // namespace

int main() {
    std::ios::sync_with_stdio(false);
    int decimals = 0;
    std::int64_t quantity = 0;
    std::string text;
    while (std::cin >> decimals >> quantity && std::getline(std::cin, text)) {
        const auto rating = ledger::parse_rating(text, "the price");
        if (!rating) {
            std::cout << rating.error().message << '\n';
            continue;
        }
        std::cout << text_of(ledger::rated(*rating, quantity, decimals)) << ' '
                  << text_of(ledger::rated_most(*rating, quantity, decimals)) << '\n';
    }
}
