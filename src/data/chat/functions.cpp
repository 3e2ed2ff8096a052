#include <algorithm>
#include <ctime>
#include <iomanip>
#include <locale>
#include <sstream>

#include "data/chat/evaluator.h"
#include "data/chat/python_text.h"
#include "data/text/utf8.h"

namespace rootstock::chat {
namespace {

constexpr std::string_view function_names[] = {"range", "namespace", "dict", "raise_exception", "strftime_now"};
constexpr std::int64_t range_max = 100'000;  // the reference's own limit
constexpr std::size_t time_format_bytes_max = 200;

}  // namespace

bool Evaluator::is_function(std::string_view name) const {
    return std::ranges::find(function_names, name) != std::end(function_names);
}

Result<Value> Evaluator::call_function(std::string_view name, const GivenArguments& given) {
    if (name == "range") return make_range(given);
    if (name == "namespace") return make_namespace(given);
    if (name == "strftime_now") return now_as_text(given);
    if (name == "dict") {
        std::vector<std::pair<Value, Value>> items;
        if (given.placed.size() > 1 || (!given.placed.empty() && !given.placed[0].dict()))
            return fault("dict takes another dict and names with values");
        if (!given.placed.empty()) items = given.placed[0].dict()->items;
        for (const auto& [key, value] : given.named) items.emplace_back(Value(key), value);
        ROOTSTOCK_CHECKED(work_.spend(items.size() * items.size() / 4));
        return make_dict(std::move(items));
    }
    ROOTSTOCK_CHECKED(given.only({"message"}));
    const auto* message = given.find(0, "message");
    ROOTSTOCK_TRY(sentence, message ? text_of(work_, *message) : Result<std::string>("no reason given"));
    return fail(ErrorCode::invalid_argument, "the template refuses the conversation: " + sentence, "messages",
                "chat_template_refused");
}

Result<Value> Evaluator::make_range(const GivenArguments& given) {
    ROOTSTOCK_CHECKED(given.only({"start", "stop", "step"}));
    if (given.placed.empty()) return fault("range needs a number");
    for (const auto& value : given.placed)
        if (std::int64_t room = 0; !value.whole(room)) return fault("range needs whole numbers");
    std::int64_t start = 0, stop = 0, step = 1;
    given.placed[0].whole(stop);
    if (given.placed.size() > 1) start = stop, given.placed[1].whole(stop);
    if (given.placed.size() > 2) given.placed[2].whole(step);
    if (step == 0) return fault("the step of range must not be 0");
    std::vector<Value> items;
    for (auto at = start; step > 0 ? at < stop : at > stop;) {
        if (static_cast<std::int64_t>(items.size()) == range_max)
            return fault(fmt::format("range is longer than {} numbers", range_max));
        items.emplace_back(at);
        if (__builtin_add_overflow(at, step, &at)) break;
    }
    return work_.list(std::move(items), RowKind::range);
}

Result<Value> Evaluator::make_namespace(const GivenArguments& given) {
    if (given.placed.size() > 1 || (!given.placed.empty() && !given.placed[0].dict()))
        return fault("namespace takes another dict and names with values");
    std::vector<std::pair<std::string, Value>> members;
    auto put = [&](const std::string& name, const Value& value) {
        auto held = std::ranges::find(members, name, [](const auto& member) { return member.first; });
        if (held == members.end())
            members.emplace_back(name, value);
        else
            held->second = value;
    };
    if (!given.placed.empty()) {
        const auto& items = given.placed[0].dict()->items;
        ROOTSTOCK_CHECKED(work_.spend(items.size() * items.size() / 4));
        for (const auto& [key, value] : items)
            if (key.text()) put(*key.text(), value);
    }
    for (const auto& [key, value] : given.named) put(key, value);
    spaces_.push_back(std::move(members));
    return Value(NamespaceRef{spaces_.size() - 1});
}

Result<Value> Evaluator::now_as_text(const GivenArguments& given) {
    ROOTSTOCK_CHECKED(given.only({"format"}));
    if (!given.find(0, "format")) return fault("strftime_now needs a format such as '%d %b %Y'");
    ROOTSTOCK_TRY(format, given.text(0, "format", ""));
    if (format.size() > time_format_bytes_max) return fault("the format of strftime_now is too long");
    std::time_t seconds = static_cast<std::time_t>(clock_.now().micros / 1'000'000);
    std::tm local{};
    localtime_r(&seconds, &local);
    std::ostringstream made;
    made.imbue(std::locale::classic());
    made << std::put_time(&local, format.c_str());
    return work_.text(made.str());
}

}  // namespace rootstock::chat
