#include "infer/batch/batch_runner.h"

#include <chrono>
#include <numeric>
#include <set>

#include "infer/table/table_model.h"

namespace rootstock {

std::vector<std::int64_t> apportion(std::int64_t whole, const std::vector<std::int64_t>& parts) {
    std::int64_t total = std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
    ROOTSTOCK_CHECK(total > 0, "nothing to divide by");
    std::vector<std::int64_t> shares;
    std::int64_t up_to = 0, given = 0;
    for (auto part : parts) {
        up_to += part;
        auto due = static_cast<std::int64_t>(static_cast<__int128>(whole) * up_to / total);
        shares.push_back(due - given);
        given = due;
    }
    return shares;
}

template <typename Batch>
Result<void> BatchRunner::execute_on(const Batch& batch, const std::vector<InferRow>& rows, InferKind kind) {
    auto put = [&](std::size_t i, std::span<const float> values) {
        rows[i].job->answer.rows[rows[i].row].assign(values.begin(), values.end());
    };
    if (kind != InferKind::embedding) {
        ROOTSTOCK_TRY(logits, kind == InferKind::logits ? executor_->classify(batch, adapters_)
                                                        : executor_->logits(batch, adapters_));
        for (std::size_t i = 0; i < rows.size(); ++i) put(i, logits.row(i));
        return {};
    }
    ROOTSTOCK_TRY(states, executor_->embed(batch, adapters_));
    std::size_t width = states.size() / rows.size();
    for (std::size_t i = 0; i < rows.size(); ++i) put(i, states.subspan(i * width, width));
    return {};
}

Result<void> BatchRunner::execute_table(const std::vector<InferRow>& rows) {
    ColumnBatch cells;
    for (const auto& row : rows) append_row(row.job->request.cells, row.row, cells);
    ROOTSTOCK_TRY(logits, rows.front().job->request.table->logits(cells));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto said = logits.row(i);
        rows[i].job->answer.rows[rows[i].row].assign(said.begin(), said.end());
    }
    return {};
}

Result<void> BatchRunner::execute(const std::vector<InferRow>& rows, InferKind kind) {
    if (rows.front().job->request.table) return execute_table(rows);
    return images_.images > 0 ? execute_on(images_, rows, kind) : execute_on(batch_, rows, kind);
}

void BatchRunner::pack(const std::vector<InferRow>& rows) {
    batch_.clear();
    images_.pixels.clear();
    images_.images = 0;
    adapters_.clear();
    for (const auto& row : rows) {
        const auto& request = row.job->request;
        adapters_.push_back(request.adapter.get());
        if (request.table) continue;
        if (request.pictures.empty()) {
            batch_.add_row(row.ids(), row.types());
            continue;
        }
        const auto& picture = request.pictures[row.row];
        images_.pixels.insert(images_.pixels.end(), picture.begin(), picture.end());
        ++images_.images;
    }
}

Result<BatchFacts> BatchRunner::run(const std::vector<InferRow>& rows) {
    auto started = std::chrono::steady_clock::now();
    pack(rows);
    std::vector<std::int64_t> lengths;
    for (const auto& row : rows) lengths.push_back(static_cast<std::int64_t>(row.job->request.length(row.row)));
    auto kind = rows.front().job->request.kind;
    ROOTSTOCK_CHECKED(execute(rows, kind));
    auto spent = std::chrono::steady_clock::now() - started;
    const auto tokens = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
    BatchFacts facts{kind, rows.size(), static_cast<std::size_t>(tokens),
                     std::set(adapters_.begin(), adapters_.end()).size(),
                     std::chrono::duration_cast<std::chrono::microseconds>(spent).count()};
    auto shares = apportion(facts.micros, lengths);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto& answer = rows[i].job->answer;
        answer.tokens += lengths[i];
        answer.compute_micros += shares[i];
        ++rows[i].job->rows_finished;
    }
    return facts;
}

}  // namespace rootstock
