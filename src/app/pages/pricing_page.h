#pragma once
// The shop window as a page, in English and Chinese, and what search engines are told besides.

#include <string>
#include <vector>

#include "app/pages/html.h"
#include "app/wiring/settings.h"
#include "ledger/ledger.h"

namespace rootstock {

// A plan as it is shown: its newest version and what is said of it.
struct ShownPlan {
    ledger::Offer offer;
    ledger::Plan plan;
    std::vector<ledger::Price> prices;  // everybody's, of now
};

struct ShopWindow {
    std::string site;   // the house's name
    std::string email;  // to ask at; empty: nobody
    std::string url;    // of the server; empty: it does not know
    bool sign_up = false;
    std::vector<ShownPlan> plans;
};

// Reads what is on offer.
Result<ShopWindow> shop_window(store::Session& session, const FrontSettings& front, Timestamp now);

std::string pricing_page(const ShopWindow& window, letters::Language language);
std::string sitemap(const ShopWindow& window);      // sitemaps.org, with the pages' other languages
std::string robots_text(const ShopWindow& window);  // RFC 9309

}  // namespace rootstock
