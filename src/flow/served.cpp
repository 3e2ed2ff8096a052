#include "flow/served.h"

#include <algorithm>

namespace rootstock {
namespace {

constexpr std::size_t digest_digits_min = 8;

Result<ServedBase> load_base(const std::filesystem::path& folder, const std::string& digest, NativeOptions options) {
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load(folder));
    ROOTSTOCK_TRY(files, load_model(folder));
    ROOTSTOCK_TRY(model, NativeModel::load(files, options));
    return ServedBase{std::move(model), std::move(tokenizer), digest, files.labels};
}

bool writes(const TransformerSpec& spec) {
    return spec.inputs == Inputs::tokens && spec.head.kind == HeadKind::causal_lm;
}

// The hook of one model, from that of all.
template <typename Facts>
std::function<void(const Facts&)> hook(const std::function<void(const std::string&, const Facts&)>& all,
                                       const std::string& name) {
    if (!all) return nullptr;
    return [all, name](const Facts& facts) { all(name, facts); };
}

Result<std::unique_ptr<ServedModel>> open_one(const catalog::Model& chosen, const Home& home,
                                              const ServedSettings& settings) {
    const auto folder = home.models() / chosen.folder;
    ROOTSTOCK_TRY(base, load_base(folder, chosen.digest, settings.native));
    auto served = std::make_unique<ServedModel>(chosen.name, chosen.digest, chosen.added, std::move(base),
                                                read_chat_form(folder));
    auto scheduling = settings.scheduler;
    scheduling.on_batch = hook(settings.on_batch, chosen.name);
    served->scheduler = std::make_unique<Scheduler>(served->base.model, std::move(scheduling));
    served->residency = std::make_unique<Residency>(served->base, settings.residency);
    if (!writes(served->spec())) return served;
    auto writing = settings.writer;
    writing.on_step = hook(settings.on_step, chosen.name);
    ROOTSTOCK_TRY(writer, Writer::make(served->base.model, std::move(writing)));
    served->writer = std::move(writer);
    return served;
}

}  // namespace

bool ServedModel::is_called(std::string_view model) const {
    return model == name || (model.size() >= digest_digits_min && digest.starts_with(model));
}

Result<std::shared_ptr<const OutputVocabulary>> ServedModel::vocabulary() const {
    const std::lock_guard lock(making_);
    if (!vocabulary_) vocabulary_ = OutputVocabulary::make(base.tokenizer, spec().end_ids);
    return *vocabulary_;
}

Result<ServedModels> ServedModels::open(std::span<const catalog::Model> chosen, const Home& home,
                                        const ServedSettings& settings) {
    ServedModels served;
    for (const auto& model : chosen) {
        if (std::ranges::any_of(served.models_, [&](const auto& other) { return other->name == model.name; }))
            return fail(ErrorCode::invalid_argument,
                        "two base models named '" + model.name + "' were chosen; serve one of them, or rename one",
                        "base");
        auto opened = open_one(model, home, settings);
        if (!opened)
            return fail(opened.error().code, "the base model '" + model.name + "': " + opened.error().message, "base");
        served.models_.push_back(std::move(*opened));
    }
    return served;
}

const ServedModel* ServedModels::called(std::string_view model) const {
    auto found = std::ranges::find_if(models_, [&](const auto& served) { return served->is_called(model); });
    return found == models_.end() ? nullptr : found->get();
}

const ServedModel* ServedModels::of_digest(std::string_view digest) const {
    auto found = std::ranges::find_if(models_, [&](const auto& served) { return served->digest == digest; });
    return found == models_.end() ? nullptr : found->get();
}

std::string ServedModels::names() const {
    std::string names;
    for (const auto& model : models_) names += (names.empty() ? "" : ", ") + model->name;
    return names;
}

}  // namespace rootstock
