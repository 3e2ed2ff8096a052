#include "infer/constrain/schema/formats.h"

#include <map>

namespace rootstock::constrain {

namespace {

std::string whole(const std::string& pattern) { return "^(?:" + pattern + ")$"; }

// Days that exist; the 29th of February in leap years.
const std::string date =
    "(?:[1-9]\\d{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|"
    "1\\d|"
    "2[0-8]))|(?:[1-9]\\d(?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)-02-29)";
const std::string time = "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)";
const std::string label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,60}[A-Za-z0-9])?";
const std::string host = "(?:" + label + "\\.){0,3}" + label;
const std::string octet = "(?:25[0-5]|2[0-4]\\d|1\\d{2}|[1-9]?\\d)";
const std::string ipv4 = octet + "(?:\\." + octet + "){3}";

std::string ipv6() {
    const std::string group = "[0-9a-fA-F]{1,4}";
    std::string ways = "(?:" + group + ":){7}" + group;
    // "::" in the place of at least one group, with `before` groups on its left.
    for (int before = 0; before <= 7; ++before) {
        const int after = 7 - before;
        ways += "|" + (before == 0 ? std::string() : "(?:" + group + ":){" + std::to_string(before - 1) + "}" + group) +
                "::";
        if (after > 0) ways += "(?:" + group + "(?::" + group + "){0," + std::to_string(after - 1) + "})?";
    }
    return ways;
}

std::string duration() {
    const std::string n = "\\d{1,9}";
    const std::string clock = "T(?:" + n + "H(?:" + n + "M(?:" + n + "S)?)?|" + n + "M(?:" + n + "S)?|" + n + "S)";
    const std::string days = "(?:" + n + "Y(?:" + n + "M(?:" + n + "D)?)?|" + n + "M(?:" + n + "D)?|" + n + "D)";
    return "P(?:" + days + "(?:" + clock + ")?|" + clock + "|" + n + "W)";
}

const std::map<std::string, std::string, std::less<>>& all() {
    const std::string word = "[A-Za-z0-9_+-]{1,32}";
    static const std::map<std::string, std::string, std::less<>> formats = {
        {"date", whole(date)},
        {"time", whole(time)},
        {"date-time", whole(date + "T" + time)},
        {"duration", whole(duration())},
        {"email", whole(word + "(?:\\." + word + ")?@(?:" + label + "\\.){1,2}[A-Za-z]{2,12}")},
        {"hostname", whole(host)},
        {"ipv4", whole(ipv4)},
        {"ipv6", whole(ipv6())},
        {"uuid", whole("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")},
        {"uri", whole("(?:https?|ftp)://" + host +
                      "(?::[1-9]\\d{0,3})?(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*)?")},
    };
    return formats;
}

}  // namespace

std::optional<std::string> format_pattern(std::string_view name) {
    const auto found = all().find(name);
    return found == all().end() ? std::nullopt : std::optional(found->second);
}

std::string known_formats() {
    std::string names;
    for (const auto& [name, pattern] : all()) names += (names.empty() ? "" : ", ") + name;
    return names;
}

}  // namespace rootstock::constrain
