#include <algorithm>
#include <array>

#include "ledger/plan.h"

namespace rootstock::ledger {
namespace {

// ISO 4217, the currencies with none or three decimals and the widely used ones with two.
constexpr std::array<std::string_view, 14> none{"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW",
                                                "PYG", "RWF", "UGX", "VND", "XAF", "XOF", "XPF"};
constexpr std::array<std::string_view, 7> three{"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
constexpr std::array<std::string_view, 42> two{
    "AED", "ARS", "AUD", "BDT", "BGN", "BRL", "CAD", "CHF", "CNY", "COP", "CZK", "DKK", "EGP", "EUR",
    "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "KES", "MAD", "MXN", "MYR", "NGN", "NOK", "NZD", "PEN",
    "PHP", "PKR", "PLN", "QAR", "RON", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "ZAR"};

}  // namespace

std::int64_t per_minor(int decimals) {
    std::int64_t micros = 1'000'000;
    for (int i = 0; i < decimals; ++i) micros /= 10;
    return micros;
}

Result<int> minor_decimals(std::string_view currency) {
    if (std::ranges::find(two, currency) != two.end()) return 2;
    if (std::ranges::find(none, currency) != none.end()) return 0;
    if (std::ranges::find(three, currency) != three.end()) return 3;
    return fail(ErrorCode::invalid_argument,
                "'" + std::string(currency) + "' is no currency known here: use an ISO 4217 code such as USD or EUR",
                "currency");
}

}  // namespace rootstock::ledger
