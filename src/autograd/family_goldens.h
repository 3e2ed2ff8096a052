#pragma once
// For tests: what the reference computes with tiny models of every family (tests/golden/make_family_golden.py,
// make_table_model_golden.py), against what a HeadedModel computes on some placement. All rows of a model run as one
// packed batch, so that rows which disturb each other show.

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "autograd/autograd.h"
#include "model/model.h"

namespace rootstock {

// The largest deviations of one model.
struct GoldenFindings {
    double hidden = 0;      // absolute
    double logits = 0;      // absolute; 0 for a model without head
    double loss = 0;        // relative
    double gradient = 0;    // relative, of the worst parameter
    std::string parameter;  // that one
    int parameters = 0;     // reference parameters whose gradients were compared
    int missing = 0;        // canonical parameters that no reference gradient covers

    bool good() const { return hidden < 1e-4 && logits < 1e-4 && loss < 1e-3 && gradient < 1e-3 && missing == 0; }
};

inline std::vector<std::filesystem::path> golden_families(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> families;
    if (!std::filesystem::exists(folder)) return families;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (std::filesystem::exists(entry.path() / "golden.safetensors")) families.push_back(entry.path());
    std::sort(families.begin(), families.end());
    return families;
}

class FamilyGolden {
public:
    static Result<FamilyGolden> read(const std::filesystem::path& folder) {
        FamilyGolden golden;
        ROOTSTOCK_TRY(model, load_model(folder));
        ROOTSTOCK_TRY(file, read_safetensors(folder / "golden.safetensors"));
        golden.model_ = std::move(model);
        golden.file_ = std::move(file);
        const auto row_is_there = [&](int n) {
            return golden.has("ids", n) || golden.has("pixels", n) || golden.has("numbers", n) ||
                   golden.has("categories", n);
        };
        while (row_is_there(golden.rows_)) ++golden.rows_;
        return golden;
    }

    const Model& model() const { return model_; }

    Result<StagedBatch> stage(const Transformer& transformer) const {
        if (has("pixels", 0)) {
            std::vector<float> pixels;
            for (int n = 0; n < rows_; ++n) {
                auto image = to_floats(at("pixels", n));
                pixels.insert(pixels.end(), image.begin(), image.end());
            }
            return transformer.stage_images(pixels);
        }
        if (model_.spec.inputs == Inputs::columns) return transformer.stage_columns(columns());
        PackedBatch batch, decoder;
        for (int n = 0; n < rows_; ++n) {
            batch.add_row(integers("ids", n), has("types", n) ? integers("types", n) : std::vector<std::int32_t>{});
            if (has("decoder", n)) decoder.add_row(integers("decoder", n));
        }
        return decoder.rows() > 0 ? transformer.stage(batch, decoder) : transformer.stage(batch);
    }

    Result<GoldenFindings> check(const Placement& placement) const {
        GoldenFindings findings;
        if (model_.spec.head.kind == HeadKind::none) {
            ROOTSTOCK_TRY(transformer, Transformer::load(model_, placement, {}));
            ROOTSTOCK_TRY(batch, stage(*transformer));
            compare_hidden(*transformer, batch, findings);
            return findings;
        }
        ROOTSTOCK_TRY(model, HeadedModel::load(model_, placement, Tuning{{}, true, true}));
        ROOTSTOCK_TRY(batch, stage(model->transformer()));
        compare_hidden(model->transformer(), batch, findings);
        compare_outputs(*model, batch, findings);
        compare_gradients(model->parameters(), findings);
        return findings;
    }

    // The sum of every row's loss; `logits` are the whole batch's.
    torch::Tensor loss(const torch::Tensor& logits, const StagedBatch& batch) const {
        auto total = torch::zeros({}, logits.options());
        for (int n = 0; n < rows_; ++n) total = total + row_loss(row_of(logits, batch, n), n);
        return total;
    }

private:
    ColumnBatch columns() const {
        ColumnBatch batch;
        batch.rows = rows_;
        for (int n = 0; n < rows_; ++n) {
            if (has("numbers", n)) {
                auto numbers = to_floats(at("numbers", n));
                auto missing = integers("missing", n);
                batch.numeric.insert(batch.numeric.end(), numbers.begin(), numbers.end());
                batch.numeric_missing.insert(batch.numeric_missing.end(), missing.begin(), missing.end());
            }
            if (!has("categories", n)) continue;
            auto categories = integers("categories", n);
            batch.categories.insert(batch.categories.end(), categories.begin(), categories.end());
        }
        return batch;
    }

    bool has(const std::string& kind, int n) const { return file_.tensors.contains(kind + "." + std::to_string(n)); }
    const HostTensor& at(const std::string& kind, int n) const {
        return file_.tensors.at(kind + "." + std::to_string(n));
    }
    std::vector<std::int32_t> integers(const std::string& kind, int n) const {
        const auto& tensor = at(kind, n);
        const auto* values = reinterpret_cast<const std::int32_t*>(tensor.bytes.data());
        return {values, values + tensor.elements()};
    }
    static torch::Tensor host(const HostTensor& tensor) { return torch::tensor(to_floats(tensor)).view(tensor.shape); }
    static double difference(const torch::Tensor& got, const torch::Tensor& wanted) {
        return (got.detach().to(torch::kFloat32).cpu() - wanted).abs().max().item<double>();
    }

    bool per_row() const { return model_.spec.head.kind == HeadKind::sequence; }

    static torch::Tensor tokens_of(const torch::Tensor& all, const StagedBatch& batch, int n) {
        auto row = static_cast<std::size_t>(n);
        return all.slice(0, batch.offsets[row], batch.offsets[row + 1]);
    }
    torch::Tensor row_of(const torch::Tensor& logits, const StagedBatch& batch, int n) const {
        if (per_row()) return logits[n];
        return tokens_of(logits, batch.decoder ? *batch.decoder : batch, n);
    }

    torch::Tensor row_loss(const torch::Tensor& logits, int n) const {
        if (has("targets", n)) return number_loss(logits, host(at("targets", n)).to(logits.device()));
        auto integers_32 = integers("labels", n);
        std::vector<std::int64_t> labels(integers_32.begin(), integers_32.end());
        if (model_.spec.head.kind == HeadKind::span) {
            std::vector<std::int32_t> offsets{0, static_cast<std::int32_t>(logits.size(0))};
            return span_loss(logits, offsets, std::span(labels).first(1), std::span(labels).last(1));
        }
        if (model_.spec.head.kind == HeadKind::causal_lm && model_.spec.decoder_layers == 0)
            labels = next_token_labels(labels, std::vector<std::int32_t>{0, static_cast<std::int32_t>(labels.size())});
        auto wanted = torch::tensor(labels, torch::kInt64).to(logits.device());
        return label_loss(per_row() ? logits.unsqueeze(0) : logits, wanted);
    }

    void compare_hidden(Transformer& transformer, const StagedBatch& batch, GoldenFindings& findings) const {
        torch::NoGradGuard no_gradient;
        auto states = transformer.encoded(batch);
        for (int n = 0; n < rows_; ++n)
            if (has("hidden", n))
                findings.hidden =
                    std::max(findings.hidden, difference(tokens_of(states, batch, n), host(at("hidden", n))));
    }

    void compare_outputs(HeadedModel& model, const StagedBatch& batch, GoldenFindings& findings) const {
        auto logits = model.logits(batch);
        for (int n = 0; n < rows_; ++n) {
            auto row = row_of(logits, batch, n);
            findings.logits = std::max(findings.logits, difference(row, host(at("logits", n))));
            auto wanted = to_floats(at("loss", n)).front();
            auto got = row_loss(row, n).item<double>();
            findings.loss = std::max(findings.loss, std::abs(got - static_cast<double>(wanted)) /
                                                        std::max(1e-3, std::abs(static_cast<double>(wanted))));
        }
        model.parameters().zero_gradients();
        loss(logits, batch).backward();
    }

    // Our gradients put together as the reference's parameter holds them; undefined: it is none of ours.
    torch::Tensor in_their_form(const Parameters& parameters, const std::string& name, std::vector<bool>& met) const {
        std::vector<torch::Tensor> parts;
        bool transposed = false;
        for (std::size_t i = 0; i < parameters.entries().size(); ++i) {
            const auto& entry = parameters.entries()[i];
            auto spelling = file_spelling(model_.spec, entry.shape.name);
            if (std::find(spelling.names.begin(), spelling.names.end(), name) == spelling.names.end()) continue;
            parts.resize(static_cast<std::size_t>(spelling.parts));
            parts[static_cast<std::size_t>(spelling.part)] = entry.value.grad().cpu();
            transposed = spelling.transposed;
            met[i] = true;
        }
        if (parts.empty()) return {};
        auto whole = torch::cat(parts, 0);
        return transposed && whole.dim() == 2 ? whole.t() : whole;
    }

    // The fixture keeps each gradient's norm and up to 32 of its numbers. A gradient below a millionth of the whole is
    // nothing but rounding (a bias that softmax cancels): there ours must be as small.
    static double gradient_deviation(const torch::Tensor& gradient, const torch::Tensor& wanted, double whole) {
        auto flat = gradient.reshape({-1});
        auto count = wanted.numel() - 1;
        auto norm = flat.norm().item<double>(), wanted_norm = wanted[0].item<double>();
        if (wanted_norm < 1e-6 * whole) return norm < 1e-6 * whole ? 0 : 1;
        auto places = torch::floor_divide(torch::arange(count, torch::kInt64) * flat.numel(), count);
        auto samples = wanted.narrow(0, 1, count);
        auto distance = (flat.index_select(0, places) - samples).norm().item<double>();
        // The numbers kept are a share of the gradient: they may all be small beside the rest.
        auto share = wanted_norm * std::sqrt(static_cast<double>(count) / static_cast<double>(flat.numel()));
        return std::max(std::abs(norm - wanted_norm) / wanted_norm,
                        distance / std::max(samples.norm().item<double>(), share));
    }

    void compare_gradients(const Parameters& parameters, GoldenFindings& findings) const {
        auto whole = parameters.gradients().norm().item<double>();
        std::vector<bool> met(parameters.entries().size(), false);
        for (const auto& [key, tensor] : file_.tensors) {
            if (!key.starts_with("grad.")) continue;
            auto name = key.substr(5);
            auto got = in_their_form(parameters, name, met);
            auto deviation = got.defined() ? gradient_deviation(got, host(tensor), whole) : 1.0;
            ++findings.parameters;
            if (deviation < findings.gradient) continue;
            findings.gradient = deviation;
            findings.parameter = name;
        }
        findings.missing = static_cast<int>(std::count(met.begin(), met.end(), false));
    }

    Model model_;
    Safetensors file_;
    int rows_ = 0;
};

}  // namespace rootstock
