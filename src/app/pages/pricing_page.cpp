#include "app/pages/pricing_page.h"

#include <algorithm>
#include <map>

namespace rootstock {
namespace {

using letters::Language;

const PagePath own_path{"/pricing", "/zh/pricing"};

const char* said(Language language, const char* english, const char* chinese) {
    return language == Language::english ? english : chinese;
}

// "1,234,567"
std::string grouped(std::int64_t number) {
    std::string digits = std::to_string(number);
    const std::size_t first = number < 0 ? 1 : 0;
    for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, ",");
    return digits;
}

// Billionths of the major unit, exactly, with as few decimals as it needs and not fewer than `decimals`.
std::string nano_text(std::int64_t nano, int decimals) {
    std::string fraction = std::to_string(1'000'000'000 + nano % 1'000'000'000).substr(1);
    while (fraction.size() > static_cast<std::size_t>(decimals) && fraction.back() == '0') fraction.pop_back();
    return grouped(nano / 1'000'000'000) + (fraction.empty() ? "" : "." + fraction);
}

struct Speaker {
    Language language;
    std::string currency;
    int decimals = 2;

    std::string say(const char* english, const char* chinese) const { return said(language, english, chinese); }
    std::string money(std::int64_t nano) const { return nano_text(nano, decimals) + " " + currency; }
    std::string money(Micros amount) const { return money(amount.value * 1000); }

    std::string meter(const std::string& meter) const {
        static const std::map<std::string, std::pair<const char*, const char*>> words{
            {"input_tokens", {"input tokens", "输入词元"}},
            {"cached_tokens", {"cached input tokens", "缓存的输入词元"}},
            {"output_tokens", {"output tokens", "输出词元"}},
            {"requests", {"requests", "次请求"}},
            {"images", {"images", "张图片"}},
            {"rows", {"table rows", "行表格数据"}},
            {"training_tokens", {"training tokens", "训练词元"}},
            {"training_seconds", {"training seconds", "秒训练时间"}},
            {"adapter_storage", {"gigabyte days of storage", "GB·天存储"}}};
        const auto known = words.find(meter);
        return known == words.end() ? meter : say(known->second.first, known->second.second);
    }

    // Tokens are counted by the million, all else by the thousand where that is a whole number of nano.
    std::string per_units(const std::string& meter, std::int64_t nano_per_million) const {
        const bool thousand = !meter.ends_with("_tokens") && nano_per_million % 1000 == 0;
        return money(thousand ? nano_per_million / 1000 : nano_per_million) + say(" per ", " / ") +
               (thousand ? "1,000 " : "1,000,000 ") + this->meter(meter);
    }
};

std::string tier_text(const Speaker& speaker, const ledger::Price& price, const ledger::Tier& tier, bool several) {
    std::string text;
    if (several)
        text += tier.up_to == ledger::Tier::endless
                    ? speaker.say("beyond: ", "超出部分：")
                    : speaker.say("up to ", "不超过 ") + grouped(tier.up_to) + speaker.say(": ", "：");
    text += speaker.per_units(price.meter, tier.nano_per_million);
    if (tier.nano_flat > 0) text += speaker.say(" and ", "，另加 ") + speaker.money(tier.nano_flat);
    return text;
}

// The lines of one price: what it is for, and each tier of it.
std::vector<std::string> price_lines(const Speaker& speaker, const ledger::Price& price) {
    const auto& rating = price.rating;
    std::vector<std::string> lines;
    const std::string meter = speaker.meter(price.meter);
    if (rating.mode == ledger::RatingMode::flat) {
        lines.push_back(meter + ": " + speaker.money(rating.tiers.front().nano_flat) +
                        speaker.say(" a period, whatever is used", " / 周期，用量不限"));
    } else if (rating.mode == ledger::RatingMode::package) {
        lines.push_back(speaker.money(rating.tiers.front().nano_flat) +
                        speaker.say(" for each begun ", " / 每满或不满 ") + grouped(rating.package) + " " + meter);
    } else {
        const bool several = rating.tiers.size() > 1;
        if (several)
            lines.push_back(meter +
                            (rating.mode == ledger::RatingMode::volume
                                 ? speaker.say(", all at the price of the volume reached:", "，按总量所在档计价：")
                                 : speaker.say(", each at the price of its tier:", "，分档计价：")));
        for (const auto& tier : rating.tiers) lines.push_back(tier_text(speaker, price, tier, several));
    }
    if (rating.included > 0)
        lines.push_back(grouped(rating.included) + " " + meter + speaker.say(" included each period", " / 周期内免费"));
    if (rating.nano_minimum > 0)
        lines.push_back(speaker.say("at least ", "每周期至少 ") + speaker.money(rating.nano_minimum) +
                        speaker.say(" a period", ""));
    if (!price.model.empty())
        for (auto& line : lines) line += " (" + price.model + ")";
    return lines;
}

std::string listed(const std::string& title, const std::vector<std::string>& lines) {
    if (lines.empty()) return {};
    std::string out = "<h3>" + escape(title) + "</h3><ul>";
    for (const auto& line : lines) out += "<li>" + escape(line) + "</li>";
    return out + "</ul>";
}

std::vector<std::string> included_lines(const Speaker& speaker, const ledger::Plan& plan) {
    std::vector<std::string> lines;
    for (const auto& allowance : plan.allowances)
        lines.push_back((allowance.hard ? speaker.say("up to ", "上限 ") : speaker.say("", "")) +
                        grouped(allowance.quantity) + " " + speaker.meter(allowance.meter) +
                        speaker.say(" each period", " / 周期"));
    const auto limit = [&](const std::optional<std::int64_t>& most, const char* english, const char* chinese) {
        if (most) lines.push_back(grouped(*most) + " " + speaker.say(english, chinese));
    };
    limit(plan.limits.requests_per_minute, "requests a minute", "次请求 / 分钟");
    limit(plan.limits.tokens_per_minute, "tokens a minute", "词元 / 分钟");
    limit(plan.limits.parallel, "requests at a time", "个并行请求");
    if (plan.commitment.value > 0)
        lines.push_back(speaker.say("usage of at least ", "每周期最低用量 ") + speaker.money(plan.commitment) +
                        speaker.say(" a period", ""));
    return lines;
}

std::string name_of(const ShownPlan& shown, Language language) {
    if (language == Language::chinese && !shown.offer.name_zh.empty()) return shown.offer.name_zh;
    return shown.plan.name.empty() ? shown.plan.code : shown.plan.name;
}

const std::string& summary_of(const ShownPlan& shown, Language language) {
    if (language == Language::chinese && !shown.offer.summary_zh.empty()) return shown.offer.summary_zh;
    return shown.offer.summary;
}

Speaker speaker_of(const ShownPlan& shown, Language language) {
    return {language, shown.plan.currency, ledger::minor_decimals(shown.plan.currency).value_or(2)};
}

std::string door(const ShopWindow& window, const ShownPlan& shown, const Speaker& speaker) {
    if (window.sign_up && shown.plan.trial_days > 0)
        return "<p class=\"go\"><a class=\"button\" href=\"" +
               std::string(said(speaker.language, "/signup", "/zh/signup")) + "?plan=" + escape(shown.plan.code) +
               "\">" + speaker.say("Start the trial", "开始试用") + "</a></p>";
    if (window.email.empty()) return {};
    return "<p class=\"go\"><a href=\"mailto:" + escape(window.email) + "\">" + speaker.say("Ask for it", "联系我们") +
           "</a></p>";
}

std::string card(const ShopWindow& window, const ShownPlan& shown, Language language) {
    const Speaker speaker = speaker_of(shown, language);
    const auto& plan = shown.plan;
    std::vector<std::string> prices;
    for (const auto& price : shown.prices) std::ranges::move(price_lines(speaker, price), std::back_inserter(prices));
    std::string out =
        "<section class=\"plan\" id=\"" + escape(plan.code) + "\"><h2>" + escape(name_of(shown, language)) +
        "</h2><p class=\"fee\">" + escape(speaker.money(plan.fee)) + " <small>" +
        (plan.months == 12 ? speaker.say("a year", "/ 年") : speaker.say("a month", "/ 月")) + "</small></p>";
    if (!summary_of(shown, language).empty()) out += "<p>" + escape(summary_of(shown, language)) + "</p>";
    if (plan.trial_days > 0) {
        out += "<p class=\"trial\">" + std::to_string(plan.trial_days) + speaker.say(" days free", " 天免费试用");
        if (plan.trial_credit.value > 0)
            out += speaker.say(", with ", "，含 ") + escape(speaker.money(plan.trial_credit)) +
                   speaker.say(" of credit", " 额度");
        out += "</p>";
    }
    return out + listed(speaker.say("Included", "包含"), included_lines(speaker, plan)) +
           listed(speaker.say("What is used", "按用量计费"), prices) + door(window, shown, speaker) + "</section>\n";
}

json::object offer_of(const ShopWindow& window, const ShownPlan& shown, Language language) {
    const Speaker speaker = speaker_of(shown, language);
    const auto price = format_rounded(shown.plan.fee, speaker.decimals);
    json::object offer{
        {"@type", "Offer"},
        {"name", name_of(shown, language)},
        {"sku", shown.plan.code},
        {"price", price},
        {"priceCurrency", shown.plan.currency},
        {"availability", "https://schema.org/InStock"},
        {"priceSpecification",
         json::object{{"@type", "UnitPriceSpecification"},
                      {"price", price},
                      {"priceCurrency", shown.plan.currency},
                      {"referenceQuantity", json::object{{"@type", "QuantitativeValue"},
                                                         {"value", 1},
                                                         {"unitCode", shown.plan.months == 12 ? "ANN" : "MON"}}}}}};
    if (!summary_of(shown, language).empty()) offer["description"] = summary_of(shown, language);
    if (!window.url.empty()) offer["url"] = window.url + own_path.in(language) + "#" + shown.plan.code;
    return offer;
}

std::string product(const ShopWindow& window, Language language, const std::string& description) {
    json::array offers;
    for (const auto& shown : window.plans) offers.push_back(offer_of(window, shown, language));
    json::object product{{"@context", "https://schema.org"},
                         {"@type", "Product"},
                         {"name", window.site},
                         {"description", description},
                         {"brand", json::object{{"@type", "Brand"}, {"name", window.site}}},
                         {"offers", std::move(offers)}};
    if (!window.url.empty()) product["url"] = window.url + own_path.in(language);
    return json::serialize(product);
}

std::string described(const ShopWindow& window, Language language) {
    if (language == Language::chinese)
        return window.site + " 的方案与价格：由小型适配器构成的定制模型，按实际用量计费，预算上限不会被超出。";
    return "Plans and prices of " + window.site +
           ": models of your own as small adapters on shared base models, paid for what is used, with budgets that "
           "hold.";
}

std::string place(const ShopWindow& window, const PagePath& path, const std::string& own, const std::string& changed) {
    return "<url><loc>" + escape(window.url + own) + "</loc>" +
           (changed.empty() ? "" : "<lastmod>" + changed + "</lastmod>") +
           "<xhtml:link rel=\"alternate\" hreflang=\"en\" href=\"" + escape(window.url + path.english) +
           "\"/><xhtml:link rel=\"alternate\" hreflang=\"zh\" href=\"" + escape(window.url + path.chinese) +
           "\"/></url>\n";
}

}  // namespace

Result<ShopWindow> shop_window(store::Session& session, const FrontSettings& front, Timestamp now) {
    const auto house = ledger::billing_details(session, TenantId());
    ShopWindow window{house.name.empty() ? "Rootstock" : house.name, house.email, front.url, front.sign_up, {}};
    for (auto& offer : ledger::offers(session)) {
        ROOTSTOCK_TRY(plan, ledger::find_plan(session, offer.plan));
        auto prices = ledger::public_prices(plan, now);
        window.plans.push_back({std::move(offer), std::move(plan), std::move(prices)});
    }
    return window;
}

std::string pricing_page(const ShopWindow& window, Language language) {
    const auto description = described(window, language);
    std::string body = std::string("<h1>") + said(language, "Plans and prices", "方案与价格") +
                       "</h1><p class=\"lead\">" + escape(description) + "</p>\n";
    if (window.plans.empty())
        body += std::string("<p class=\"said\">") +
                said(language, "Nothing is on offer here just now: ask us.", "目前没有公开的方案，请联系我们。") +
                "</p>";
    else
        body += "<div class=\"plans\">\n";
    for (const auto& shown : window.plans) body += card(window, shown, language);
    if (!window.plans.empty())
        body +=
            std::string("</div>\n<p class=\"hint\">") +
            said(language,
                 "Prices are without taxes, which depend on where you are. Usage is metered exactly, and every line "
                 "of a bill is rounded once.",
                 "价格均不含税，税费取决于您所在的地区。用量精确计量，账单每行只舍入一次。") +
            "</p>\n";
    return framed({.language = language,
                   .site = window.site,
                   .title = std::string(said(language, "Plans and prices", "方案与价格")) + " – " + window.site,
                   .description = description,
                   .url = window.url,
                   .path = own_path,
                   .json_ld = product(window, language, description)},
                  body);
}

std::string sitemap(const ShopWindow& window) {
    std::string out =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" "
        "xmlns:xhtml=\"http://www.w3.org/1999/xhtml\">\n";
    if (window.url.empty()) return out + "</urlset>\n";
    Timestamp newest;
    for (const auto& shown : window.plans) newest = std::max({newest, shown.offer.changed, shown.plan.created});
    const auto changed = newest.micros > 0 ? to_iso8601(newest).substr(0, 10) : std::string();
    for (const auto& own : {own_path.english, own_path.chinese}) out += place(window, own_path, own, changed);
    const PagePath door{"/signup", "/zh/signup"};
    if (window.sign_up)
        for (const auto& own : {door.english, door.chinese}) out += place(window, door, own, {});
    return out + "<url><loc>" + escape(window.url + "/docs") + "</loc></url>\n</urlset>\n";
}

std::string robots_text(const ShopWindow& window) {
    if (window.url.empty()) return "User-agent: *\nDisallow: /\n";
    return "User-agent: *\nAllow: /pricing\nAllow: /zh/pricing\nAllow: /docs\nAllow: /sitemap.xml\n" +
           std::string(window.sign_up ? "Allow: /signup$\nAllow: /zh/signup$\n" : "") +
           "Disallow: /\n\nSitemap: " + window.url + "/sitemap.xml\n";
}

}  // namespace rootstock
