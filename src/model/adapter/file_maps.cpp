#include "model/adapter/file_maps.h"

#include <algorithm>

#include "model/families/family.h"

namespace rootstock {

int FileMap::out() const {
    int sum = 0;
    for (const auto& map : maps) sum += map.out;
    return sum;
}

std::vector<FileMap> file_maps(const TransformerSpec& spec) {
    const auto& family = family_of(spec);
    std::vector<FileMap> all;
    for (const auto& map : linear_maps(spec)) {
        const auto path = family.module_path(map.module);
        const auto place = std::ranges::find(all, path, &FileMap::path);
        if (place != all.end()) {
            place->maps.push_back(map);
            continue;
        }
        const std::string_view prefix = family.prefix;
        const auto bare = path.starts_with(prefix) ? path.substr(prefix.size()) : path;
        all.push_back({path, bare, {map}, family.form(map.module + ".weight").transposed});
    }
    return all;
}

bool has_pair(const FileMap& map, const std::map<std::string, LoraPair>& pairs) {
    return std::ranges::any_of(map.maps, [&](const auto& part) { return pairs.contains(part.module); });
}

namespace {

bool share_a(const FileMap& map, const std::map<std::string, LoraPair>& pairs) {
    const auto first = pairs.find(map.maps.front().module);
    return first != pairs.end() && std::ranges::all_of(map.maps, [&](const auto& part) {
               const auto pair = pairs.find(part.module);
               return pair != pairs.end() && pair->second.scale == first->second.scale &&
                      pair->second.a == first->second.a;
           });
}

// Rows of B at `row`, columns at `column`, times `factor`.
void put_b(const LoraPair& pair, float factor, int row, int column, LoraPair& whole) {
    for (int r = 0; r < pair.out; ++r)
        for (int c = 0; c < pair.rank; ++c)
            whole.b[static_cast<std::size_t>(row + r) * static_cast<std::size_t>(whole.rank) +
                    static_cast<std::size_t>(column + c)] =
                factor *
                pair.b[static_cast<std::size_t>(r) * static_cast<std::size_t>(pair.rank) + static_cast<std::size_t>(c)];
}

}  // namespace

LoraPair fused_pair(const FileMap& map, const std::map<std::string, LoraPair>& pairs) {
    const bool shared = share_a(map, pairs);
    LoraPair whole{0, 0, map.in(), map.out(), {}, {}};
    for (const auto& part : map.maps) {
        const auto pair = pairs.find(part.module);
        if (pair == pairs.end()) continue;
        if (whole.rank == 0) whole.scale = pair->second.scale;
        if (shared && whole.rank > 0) break;
        whole.rank += pair->second.rank;
        whole.a.insert(whole.a.end(), pair->second.a.begin(), pair->second.a.end());
    }
    for (const auto& part : map.maps)
        if (const auto pair = pairs.find(part.module); pair != pairs.end())
            whole.magnitude.insert(whole.magnitude.end(), pair->second.magnitude.begin(), pair->second.magnitude.end());
    ROOTSTOCK_CHECK(whole.magnitude.empty() || static_cast<int>(whole.magnitude.size()) == whole.out,
                    "of maps that a file fuses all have lengths of rows, or none has");
    whole.b.assign(static_cast<std::size_t>(whole.out) * static_cast<std::size_t>(whole.rank), 0.0f);
    int row = 0, column = 0;
    for (const auto& part : map.maps) {
        if (const auto pair = pairs.find(part.module); pair != pairs.end()) {
            put_b(pair->second, pair->second.scale / whole.scale, row, column, whole);
            if (!shared) column += pair->second.rank;
        }
        row += part.out;
    }
    return whole;
}

namespace {

// The places along the rank that rows [begin, begin + rows) of B use; all of them when B is zero there.
std::vector<int> used_places(const LoraPair& pair, int begin, int rows) {
    std::vector<int> used, all;
    for (int place = 0; place < pair.rank; ++place) {
        all.push_back(place);
        for (int row = begin; row < begin + rows; ++row)
            if (pair.b[static_cast<std::size_t>(row) * static_cast<std::size_t>(pair.rank) +
                       static_cast<std::size_t>(place)] != 0.0f) {
                used.push_back(place);
                break;
            }
    }
    return used.empty() ? all : used;
}

}  // namespace

void split_pair(const FileMap& map, LoraPair pair, std::map<std::string, LoraPair>& pairs) {
    if (map.maps.size() == 1) {
        pairs[map.maps.front().module] = std::move(pair);
        return;
    }
    int begin = 0;
    const auto rank = static_cast<std::size_t>(pair.rank), in = static_cast<std::size_t>(pair.in);
    for (const auto& part : map.maps) {
        const auto places = used_places(pair, begin, part.out);
        LoraPair own{static_cast<int>(places.size()), pair.scale, part.in, part.out, {}, {}};
        if (!pair.magnitude.empty())
            own.magnitude.assign(pair.magnitude.begin() + begin, pair.magnitude.begin() + begin + part.out);
        for (const int place : places) {
            const auto line = pair.a.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(place) * in);
            own.a.insert(own.a.end(), line, line + static_cast<std::ptrdiff_t>(in));
        }
        for (int row = begin; row < begin + part.out; ++row)
            for (const int place : places)
                own.b.push_back(pair.b[static_cast<std::size_t>(row) * rank + static_cast<std::size_t>(place)]);
        pairs[part.module] = std::move(own);
        begin += part.out;
    }
}

}  // namespace rootstock
