#include "infer/decode/entities.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace rootstock {
namespace {

enum class Mark { outside, begin, inside, end, single };

struct Tag {
    Mark mark = Mark::outside;
    std::string_view label;
};

Tag tag_of(std::string_view label) {
    if (label == "O") return {};
    if (label.size() > 2 && (label[1] == '-' || label[1] == '_')) switch (label[0]) {
            case 'B':
                return {Mark::begin, label.substr(2)};
            case 'I':
            case 'M':
                return {Mark::inside, label.substr(2)};
            case 'E':
            case 'L':
                return {Mark::end, label.substr(2)};
            case 'S':
            case 'U':
                return {Mark::single, label.substr(2)};
            default:
                break;
        }
    return {Mark::inside, label};
}

struct Best {
    std::size_t label;
    float probability;
};

Best best_of(std::span<const float> logits) {
    const auto best = std::ranges::max_element(logits);
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit - *best));
    return {static_cast<std::size_t>(best - logits.begin()), static_cast<float>(1 / sum)};
}

// The stretch being read, and how many tokens it has.
struct EntityReading {
    std::vector<Entity> found;
    int tokens = 0;  // of the last one; 0: it is closed

    void close() {
        if (tokens > 0) found.back().score /= static_cast<float>(tokens);
        tokens = 0;
    }
    void take(const Tag& tag, CharSpan span, float probability) {
        const bool goes_on =
            tokens > 0 && found.back().label == tag.label && tag.mark != Mark::begin && tag.mark != Mark::single;
        if (!goes_on) {
            close();
            found.push_back({std::string(tag.label), span, 0});
        }
        found.back().span.end = span.end;
        found.back().score += probability;
        ++tokens;
        if (tag.mark == Mark::end || tag.mark == Mark::single) close();
    }
};

}  // namespace

std::vector<Entity> read_entities(std::span<const float> logits, std::span<const std::string> labels,
                                  const Encoding& text) {
    ROOTSTOCK_CHECK(logits.size() == labels.size() * text.ids.size(), "every token has a logit for every label");
    EntityReading reading;
    for (std::size_t t = 0; t < text.ids.size(); ++t) {
        if (text.special[t]) continue;
        const auto best = best_of(logits.subspan(t * labels.size(), labels.size()));
        const auto tag = tag_of(labels[best.label]);
        if (tag.mark == Mark::outside)
            reading.close();
        else
            reading.take(tag, text.offsets[t], best.probability);
    }
    reading.close();
    return std::move(reading.found);
}

}  // namespace rootstock
