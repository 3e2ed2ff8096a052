#include <algorithm>

#include "outbox/mac.h"
#include "outbox/webhooks.h"

namespace rootstock::outbox {
namespace {

constexpr const char* columns =
    "SELECT id, tenant_id, url, events, generation, previous_until, created_at, disabled_at, disabled_why, version "
    "FROM webhook_endpoint ";

using Row = std::tuple<std::string, TenantId, std::string, std::string, std::int64_t, std::optional<Timestamp>,
                       Timestamp, std::optional<Timestamp>, std::string, std::int64_t>;

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

Endpoint endpoint_of(Row row) {
    auto& [id, tenant, url, events, generation, previous, created, disabled, why, version] = row;
    return {id, tenant, url, words_of(events), generation, previous, created, disabled, why, version};
}

template <typename... Args>
std::vector<Endpoint> endpoints(store::Session& session, const std::string& rest, const Args&... args) {
    std::vector<Endpoint> found;
    session.for_each<std::string, TenantId, std::string, std::string, std::int64_t, std::optional<Timestamp>, Timestamp,
                     std::optional<Timestamp>, std::string, std::int64_t>(
        columns + rest, [&](auto... column) { found.push_back(endpoint_of({std::move(column)...})); }, args...);
    return found;
}

// Words of a-z, 0-9 and _ with dots between.
bool is_event_type(std::string_view text) {
    const bool plain = std::ranges::all_of(
        text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; });
    return plain && !text.empty() && text.size() <= 64 && text.front() != '.' && text.back() != '.';
}

Result<std::string> join_events(const std::vector<std::string>& events) {
    std::string joined;
    for (const auto& event : events) {
        if (!is_event_type(event) || events.size() > 64)
            return fail(ErrorCode::invalid_argument, "name at most 64 events, such as invoice.paid, or none for all",
                        "events");
        joined += (joined.empty() ? "" : " ") + event;
    }
    return joined;
}

std::unexpected<Error> bad_url(const std::string& sentence, const char* reason = "") {
    return fail(ErrorCode::invalid_argument, sentence, "url", reason);
}

}  // namespace

Result<void> check_endpoint_url(const std::string& url, const http::AddressRule& rule) {
    const bool plain = std::ranges::all_of(url, [](char c) { return c > ' ' && c <= '~'; });
    if (!plain || url.size() > url_bytes_max || !http::is_web_address(url))
        return bad_url("'url' must be an https address of at most 2048 characters");
    const auto authority = url.substr(url.find("://") + 3, url.find_first_of("/?#", url.find("://") + 3));
    if (authority.substr(0, authority.find_first_of("/?#")).find('@') != std::string::npos)
        return bad_url("'url' must carry no user name or password: the signature says who sends");
    auto host = http::host_of(url);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    const bool numeric = http::check_networks({host}).has_value();
    if (host == "localhost" || host.ends_with(".localhost") || (numeric && !http::may_reach(rule, host)))
        return bad_url("'url' leads to an address that may not be reached; only public addresses may",
                       "address_refused");
    const bool named = numeric && !http::is_public_address(host);  // and allowed, as we just saw
    if (!url.starts_with("https://") && !named) return bad_url("'url' must begin with https://");
    return {};
}

Result<Endpoint> add_endpoint(store::Session& session, const TenantId& tenant, const std::string& url,
                              const std::vector<std::string>& events, Timestamp now) {
    ROOTSTOCK_TRY(joined, join_events(events));
    const auto there =
        session.value<std::int64_t>("SELECT COUNT(*) FROM webhook_endpoint WHERE tenant_id = :tenant", tenant);
    if (there >= endpoints_max)
        return fail(ErrorCode::conflict, "there are 20 endpoints already: remove one first", {}, "too_many");
    const auto id = mint_id("whe", now);
    session.execute(
        "INSERT INTO webhook_endpoint (id, tenant_id, url, events, created_at) VALUES (:id, :tenant, :url, :events, "
        ":now)",
        id, tenant, url, joined, now);
    return find_endpoint(session, tenant, id);
}

std::vector<Endpoint> list_endpoints(store::Session& session, const std::optional<TenantId>& only,
                                     std::string_view after, std::int64_t limit) {
    return endpoints(session, "WHERE (:everybody = 1 OR tenant_id = :only) AND id > :after ORDER BY id LIMIT :limit",
                     only ? 0 : 1, only.value_or(TenantId{}), after, limit);
}

Result<Endpoint> find_endpoint(store::Session& session, const std::optional<TenantId>& only, std::string_view id) {
    auto found = endpoints(session, "WHERE (:everybody = 1 OR tenant_id = :only) AND id = :id", only ? 0 : 1,
                           only.value_or(TenantId{}), id);
    if (found.empty())
        return fail(ErrorCode::not_found, "there is no such webhook endpoint", "id", "endpoint_not_found");
    return std::move(found.front());
}

Result<Endpoint> change_endpoint(store::Session& session, const Endpoint& endpoint) {
    ROOTSTOCK_TRY(joined, join_events(endpoint.events));
    session.execute(
        "UPDATE webhook_endpoint SET url = :url, events = :events, disabled_at = :disabled, disabled_why = :why, "
        "version = version + 1 WHERE id = :id",
        endpoint.url, joined, endpoint.disabled, endpoint.disabled ? endpoint.disabled_why : "", endpoint.id);
    return find_endpoint(session, endpoint.tenant, endpoint.id);
}

void remove_endpoint(store::Session& session, const Endpoint& endpoint) {
    session.execute("DELETE FROM webhook_delivery WHERE endpoint_id = :id", endpoint.id);
    session.execute("DELETE FROM webhook_endpoint WHERE id = :id", endpoint.id);
}

Result<Endpoint> rotate_secret(store::Session& session, const Endpoint& endpoint, Timestamp now) {
    const std::chrono::microseconds overlap = secret_overlap;
    session.execute(
        "UPDATE webhook_endpoint SET generation = generation + 1, previous_until = :until, version = version + 1 "
        "WHERE id = :id",
        Timestamp{now.micros + overlap.count()}, endpoint.id);
    return find_endpoint(session, endpoint.tenant, endpoint.id);
}

namespace {

std::string key_of(const Vault& vault, const std::string& endpoint, std::int64_t generation) {
    return vault.derive("webhook " + endpoint + " " + std::to_string(generation));
}

}  // namespace

std::string secret_of(const Vault& vault, const std::string& endpoint, std::int64_t generation) {
    return "whsec_" + base64(key_of(vault, endpoint, generation));
}

std::string signature_of(const Vault& vault, const Endpoint& endpoint, std::string_view event, Timestamp at,
                         std::string_view body) {
    const auto signed_text = std::string(event) + "." + std::to_string(at.micros / 1'000'000) + "." + std::string(body);
    const auto by = [&](std::int64_t generation) {
        return "v1," + base64(hmac_sha256(key_of(vault, endpoint.id, generation), signed_text));
    };
    auto text = by(endpoint.generation);
    if (endpoint.previous_until && *endpoint.previous_until > at) text += " " + by(endpoint.generation - 1);
    return text;
}

}  // namespace rootstock::outbox
