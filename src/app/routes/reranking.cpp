#include "app/routes/reranking.h"

#include <algorithm>
#include <cmath>

namespace rootstock {
namespace {

Result<ReadRows> pairs_of(const Reranking& order, const ServedModel& model) {
    const int classes = model.spec().head.classes;
    if (classes > 2)
        return fail(ErrorCode::unsupported,
                    "the model '" + model.name + "' tells " + std::to_string(classes) +
                        " classes apart and does not rank; take a cross-encoder, or a model without a head",
                    "model");
    ReadRows rows;
    for (const auto& document : order.documents) {
        ROOTSTOCK_TRY(pair, encode_pair(model, order.query, document, order.truncate, "documents"));
        add_row(pair, model, rows);
    }
    return rows;
}

// The query first.
Result<ReadRows> texts_of(const Reranking& order, const ServedModel& model) {
    ReadRows rows;
    ROOTSTOCK_TRY(query, encode_one(model, order.query, order.truncate, "query"));
    rows.ids.push_back(std::move(query));
    for (const auto& document : order.documents) {
        ROOTSTOCK_TRY(ids, encode_one(model, document, order.truncate, "documents"));
        rows.ids.push_back(std::move(ids));
    }
    return rows;
}

float logistic(float x) { return 1 / (1 + std::exp(-x)); }

float relevance(const std::vector<float>& logits, bool raw) {
    if (raw) return logits.back();
    return logits.size() == 1 ? logistic(logits[0]) : logistic(logits[1] - logits[0]);
}

std::vector<Ranked> ranking(const Reranking& order, bool head, const InferAnswer& answer) {
    std::vector<Ranked> ranked;
    for (std::size_t i = 0; i < order.documents.size(); ++i)
        ranked.push_back(
            {i, head ? relevance(answer.rows[i], order.raw) : cosine(answer.rows.front(), answer.rows[i + 1])});
    std::ranges::stable_sort(ranked, std::ranges::greater(), &Ranked::score);
    return ranked;
}

}  // namespace

ReadTask rerank_task(std::shared_ptr<const Reranking> order,
                     std::function<std::string(const ServedModel&, const std::vector<Ranked>&, const Usage&)> render) {
    ReadTask task{.operation = "rerank", .purpose = "reranking", .heads = {HeadKind::sequence}, .embeddings = true};
    auto reads_pairs = [](const ServedModel& model) { return model.spec().head.kind == HeadKind::sequence; };
    task.tokenize = [order, reads_pairs](const ServedModel& model) {
        return reads_pairs(model) ? pairs_of(*order, model) : texts_of(*order, model);
    };
    task.answer = [order, reads_pairs, render = std::move(render)](const ServedModel& model, const InferAnswer& answer,
                                                                   const Usage& usage) {
        return render(model, ranking(*order, reads_pairs(model), answer), usage);
    };
    return task;
}

Result<void> read_documents(Reranking& order, const json::value& documents, const char* documents_name,
                            const PredictLimits& limits) {
    ROOTSTOCK_CHECKED(read_texts(json::array{order.query}, "query", limits));
    ROOTSTOCK_TRY(texts, read_texts(documents, documents_name, limits));
    order.documents = std::move(texts);
    return {};
}

}  // namespace rootstock
