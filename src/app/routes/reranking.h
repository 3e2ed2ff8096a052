#pragma once
// Documents by how well they answer a query: the work of /v1/rerank and of TEI's /rerank.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/routes/reading_request.h"

namespace rootstock {

struct Reranking {
    std::string model, query;
    std::vector<std::string> documents;
    bool truncate = false;
    bool raw = false;  // what a cross-encoder says itself, instead of its logistic
};

struct Ranked {
    std::size_t index = 0;  // of the document
    float score = 0;
};

// By a cross-encoder when the model has a head of one class (its logistic) or two (the probability of the second);
// by the cosine of embeddings when it has no such head. unsupported: a classifier of more classes. The ranking given to
// `render` is whole, best first; equal ones in the documents' order.
ReadTask rerank_task(std::shared_ptr<const Reranking> order,
                     std::function<std::string(const ServedModel&, const std::vector<Ranked>&, const Usage&)> render);

// Limits of the query and the documents; `documents_name` is the field's.
Result<void> read_documents(Reranking& order, const json::value& documents, const char* documents_name,
                            const PredictLimits& limits);

}  // namespace rootstock
