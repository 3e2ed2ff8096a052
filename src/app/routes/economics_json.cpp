#include "app/routes/economics_json.h"

#include <charconv>

namespace rootstock {
namespace {

constexpr std::size_t parts_max = 100;

std::string seconds(std::int64_t micros) { return format_rounded(Micros{micros}, 3); }

json::object to_json(const ledger::EconomicsRow& row) {
    return {{"requests", row.requests},
            {"input_tokens", row.input_tokens},
            {"output_tokens", row.output_tokens},
            {"revenue", format_exact(row.revenue)},
            {"serving_seconds", seconds(row.serving_micros)},
            {"serving_cost", format_exact(row.serving_cost)},
            {"training_seconds", seconds(row.training_micros)},
            {"training_cost", format_exact(row.training_cost)},
            {"margin", format_exact(row.margin)}};
}

std::unexpected<Error> refuse(const std::string& sentence, const char* field) {
    return fail(ErrorCode::invalid_argument, sentence, field);
}

// The parts between commas; none for an empty text.
Result<std::vector<std::string_view>> parts_of(std::string_view text, const char* field) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const auto part = text.substr(0, text.find(','));
        if (part.empty() || parts.size() == parts_max || part.size() == text.size() - 1)
            return refuse(std::string("'") + field + "' has at most 100 parts with a comma between two", field);
        parts.push_back(part);
        text.remove_prefix(std::min(part.size() + 1, text.size()));
    }
    return parts;
}

std::optional<std::int64_t> number_of(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

json::object to_json(const bill::NamedEconomics& named, const ledger::MachinePrice& price) {
    const auto& economics = named.economics;
    json::array tenants, models;
    for (std::size_t i = 0; i < economics.by_tenant.size(); ++i) {
        auto row = to_json(economics.by_tenant[i]);
        row["tenant"] = named.tenant_names[i];
        tenants.push_back(std::move(row));
    }
    for (const auto& each : economics.by_model) {
        auto row = to_json(each);
        row["model"] = each.model;
        row["adapter"] = each.adapter;
        models.push_back(std::move(row));
    }
    return json::object{{"month", ledger::month_name(economics.period)},
                        {"currency", economics.currency},
                        {"machine_price_per_hour", format_exact(price.per_hour)},
                        {"by_tenant", std::move(tenants)},
                        {"by_model", std::move(models)},
                        {"total", to_json(economics.total)}};
}

Result<std::map<std::string, std::int64_t>> read_mix(std::string_view text, const char* field) {
    ROOTSTOCK_TRY(parts, parts_of(text, field));
    std::map<std::string, std::int64_t> mix;
    for (const auto part : parts) {
        const auto equals = part.find('=');
        const auto number = equals == std::string_view::npos ? std::nullopt : number_of(part.substr(equals + 1));
        if (!number || !mix.try_emplace(std::string(part.substr(0, equals)), *number).second)
            return refuse(std::string("'") + field + "' is such as classify=1000,chat=20: each operation once", field);
    }
    return mix;
}

Result<std::vector<std::int64_t>> read_numbers(std::string_view text, const char* field) {
    ROOTSTOCK_TRY(parts, parts_of(text, field));
    std::vector<std::int64_t> numbers;
    for (const auto part : parts) {
        const auto number = number_of(part);
        if (!number) return refuse(std::string("'") + field + "' is such as 1,10,100", field);
        numbers.push_back(*number);
    }
    return numbers;
}

}  // namespace rootstock
