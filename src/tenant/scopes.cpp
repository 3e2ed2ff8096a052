#include "tenant/scopes.h"

#include <algorithm>

namespace rootstock::tenant {
namespace {

constexpr std::size_t word_max = 40;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

bool is_word(std::string_view word) {
    if (word.empty() || word.size() > word_max || !is_letter(word.front()) || !is_letter(word.back())) return false;
    return std::ranges::count(word, ':') <= 1 &&
           std::ranges::all_of(word, [](char c) { return is_letter(c) || c == ':'; });
}

}  // namespace

bool holds(const Scopes& held, std::string_view scope) {
    if (held.empty()) return scope.find(':') == std::string_view::npos;
    return std::ranges::find(held, scope) != held.end();
}

Result<std::string> join_scopes(Scopes scopes) {
    std::ranges::sort(scopes);
    scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
    if (scopes.size() > scopes_max) return fail(ErrorCode::invalid_argument, "a key has at most 64 scopes", "scopes");
    std::string stored;
    for (const auto& scope : scopes) {
        if (!is_word(scope))
            return fail(ErrorCode::invalid_argument, "'" + scope + "' is not the shape of a scope, such as keys:read",
                        "scopes");
        stored.append(stored.empty() ? "" : " ").append(scope);
    }
    return stored;
}

Scopes split_scopes(std::string_view stored) {
    Scopes scopes;
    while (!stored.empty()) {
        const auto end = std::min(stored.find(' '), stored.size());
        scopes.emplace_back(stored.substr(0, end));
        stored.remove_prefix(std::min(end + 1, stored.size()));
    }
    return scopes;
}

}  // namespace rootstock::tenant
