// How classified inputs are told: texts and pictures alike.

#include <algorithm>
#include <numeric>

#include "app/routes/prediction_request.h"

namespace rootstock {
namespace {

void append_label(std::string& out, const Classified& answer, std::size_t input, std::size_t label) {
    out += "\"label\":";
    append_quoted(out, answer.labels[label]);
    out += ",\"score\":";
    append_number(out, answer.probabilities[input][label]);
}

void append_input(std::string& out, const Classified& answer, std::size_t input, std::size_t top_k) {
    auto ranked = ranking(answer.probabilities[input]);
    out.append("{\"object\":\"classification\",\"index\":").append(std::to_string(input)).append(",");
    append_label(out, answer, input, ranked.front());
    out += ",\"probabilities\":[";
    for (std::size_t place = 0; place < std::min(top_k, ranked.size()); ++place) {
        out += place == 0 ? "{" : ",{";
        append_label(out, answer, input, ranked[place]);
        out += "}";
    }
    out += "],\"prediction_id\":";
    append_quoted(out, answer.predictions[input].text());
    out += "}";
}

}  // namespace

std::vector<std::size_t> ranking(const std::vector<float>& probabilities) {
    std::vector<std::size_t> order(probabilities.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return probabilities[a] > probabilities[b]; });
    return order;
}

std::string render_classified(const Classified& answer, std::size_t top_k) {
    std::string out = "{\"object\":\"list\",\"model\":";
    append_quoted(out, answer.model);
    out += ",\"data\":[";
    for (std::size_t input = 0; input < answer.probabilities.size(); ++input) {
        if (input > 0) out += ",";
        append_input(out, answer, input, top_k);
    }
    out += "],\"usage\":";
    append_usage(out, answer.usage);
    return out + "}";
}

}  // namespace rootstock
