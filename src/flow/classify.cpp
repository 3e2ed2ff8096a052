#include "flow/classify.h"

#include <algorithm>
#include <cmath>

#include "catalog/catalog.h"
#include "flow/intake.h"
#include "infer/infer.h"
#include "tenant/tenant.h"

namespace rootstock {
namespace {

// The version that a name means; nothing when there is no adapter of it.
Result<std::optional<catalog::Adapter>> find_adapter(store::Database& records, const ClassifyOrder& order) {
    return records.read([&](store::Session& session) -> Result<std::optional<catalog::Adapter>> {
        TenantId owner;
        if (!order.tenant.empty()) {
            ROOTSTOCK_TRY(found, tenant::find(session, order.tenant));
            owner = found.id;
        }
        std::optional<catalog::Adapter> meant;
        for (const auto& one : catalog::list_adapters(session, owner)) {
            if (one.reference() == order.name) return one;
            if (one.name != order.name) continue;
            if (one.state == catalog::AdapterState::live) return one;
            if (!meant || one.version > meant->version) meant = one;
        }
        return meant;
    });
}

std::vector<std::string> labels_or_numbers(std::vector<std::string> labels, int classes) {
    if (static_cast<int>(labels.size()) == classes) return labels;
    labels.clear();
    for (int i = 0; i < classes; ++i) labels.push_back("LABEL_" + std::to_string(i));
    return labels;
}

}  // namespace

void softmax_into(std::span<const float> logits, std::span<float> probabilities) {
    const float largest = *std::ranges::max_element(logits);
    double sum = 0;
    for (std::size_t c = 0; c < logits.size(); ++c) sum += probabilities[c] = std::exp(logits[c] - largest);
    for (auto& value : probabilities) value = static_cast<float>(value / sum);
}

Result<void> Classifier::load(const std::filesystem::path& base, const NativeOptions& options) {
    ROOTSTOCK_TRY(files, load_model(base));
    ROOTSTOCK_TRY(native, NativeModel::load(files, options));
    model_ = std::move(native);
    executor_.emplace(model_);
    max_tokens_ = files.spec.positions_max;
    if (files.spec.head.kind == HeadKind::sequence) labels_ = labels_or_numbers(files.labels, files.spec.head.classes);
    if (files.spec.inputs == Inputs::patches) {
        ROOTSTOCK_TRY(reader, PictureReader::open(base, files.spec.patches.image, files.spec.patches.channels));
        pictures_ = std::move(reader);
        return {};
    }
    ROOTSTOCK_TRY(tokenizer, Tokenizer::load(base));
    tokenizer_ = std::move(tokenizer);
    return {};
}

Result<void> Classifier::graft(const std::filesystem::path& folder, const std::string& base_digest) {
    ROOTSTOCK_TRY(adapter, load_adapter(folder, model_->spec(), base_digest));
    if (adapter.head.classes == 0)
        return fail(ErrorCode::unsupported, reference_ + " has no classification head; it was tuned for another task",
                    "name");
    ROOTSTOCK_TRY(native, NativeAdapter::load(*model_, adapter));
    adapter_ = std::move(native);
    labels_ = adapter.labels;
    if (adapter.max_tokens > 0) max_tokens_ = adapter.max_tokens;
    if (pictures_) return check_self_tests(*executor_, *adapter_, adapter);
    return check_self_tests(*executor_, *adapter_, adapter, *tokenizer_);
}

Result<Classifier> Classifier::open(store::Database& records, const Home& home, const ClassifyOrder& order) {
    Classifier classifier;
    ROOTSTOCK_TRY(adapter, find_adapter(records, order));
    if (adapter && adapter->task == "table")
        return fail(
            ErrorCode::unsupported,
            adapter->reference() + " reads rows of a table: rootstock score --model " + adapter->reference() + " FILE",
            "name");
    auto base = find_base(records, home, adapter ? adapter->base_digest : order.name);
    if (!base && !adapter && base.error().code == ErrorCode::not_found)
        return fail(ErrorCode::not_found,
                    "there is neither an adapter nor a base model `" + order.name +
                        "`; `rootstock adapters` and `rootstock models` list them",
                    "name", "model_not_found");
    if (!base) return fail(base.error());
    classifier.reference_ = adapter ? adapter->reference() : base->name;
    ROOTSTOCK_CHECKED(classifier.load(home.models() / base->folder, order.native));
    if (adapter)
        ROOTSTOCK_CHECKED(classifier.graft(home.adapters() / adapter->id.text(), adapter->base_digest));
    else if (classifier.labels_.empty())
        return fail(ErrorCode::unsupported,
                    "the base model " + base->name +
                        " has no classification head of its own; tune an adapter on it: rootstock finetune --base " +
                        base->name,
                    "name");
    return classifier;
}

Result<Logits> Classifier::logits_of(const std::string& text_or_file) {
    const auto* adapter = adapter_.get();
    const auto grafted = adapter ? RowAdapters(&adapter, 1) : RowAdapters();
    if (pictures_) {
        ImageBatch picture;
        ROOTSTOCK_CHECKED(pictures_->read(text_or_file, picture.pixels));
        picture.images = 1;
        return adapter ? executor_->classify(picture, grafted) : executor_->logits(picture);
    }
    std::vector<std::int32_t> ids;
    ROOTSTOCK_CHECKED(tokenizer_->encode_ids(text_or_file, {.max_tokens = max_tokens_}, ids));
    PackedBatch text;
    text.add_row(ids);
    return adapter ? executor_->classify(text, grafted) : executor_->logits(text);
}

Result<std::vector<float>> Classifier::classify(const std::string& text_or_file) {
    ROOTSTOCK_TRY(logits, logits_of(text_or_file));
    std::vector<float> probabilities(labels_.size());
    ROOTSTOCK_CHECK(logits.row(0).size() == probabilities.size(), "every class has a label");
    softmax_into(logits.row(0), probabilities);
    return probabilities;
}

}  // namespace rootstock
