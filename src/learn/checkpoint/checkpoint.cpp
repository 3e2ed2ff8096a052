#include "learn/checkpoint/checkpoint.h"

#include <cstring>

#include "model/model.h"

namespace rootstock {

namespace {

constexpr const char* start_over = ": delete the job's checkpoint folder to start over";

HostTensor floats(const torch::Tensor& tensor) {
    auto values = tensor.detach().cpu().contiguous();
    auto count = static_cast<std::size_t>(values.numel());
    return make_tensor({values.numel()}, {values.data_ptr<float>(), count});
}

HostTensor text(const std::string& words) {
    auto owner = std::make_shared<std::string>(words);
    HostTensor tensor;
    tensor.dtype = Dtype::u8;
    tensor.shape = {static_cast<std::int64_t>(owner->size())};
    tensor.bytes = std::as_bytes(std::span(owner->data(), owner->size()));
    tensor.owner = owner;
    return tensor;
}

json::object to_json(const TrainingProgress& p) {
    return {{"job_digest", p.job_digest},
            {"step", p.step},
            {"epoch", p.epoch},
            {"batch", p.batch},
            {"has_best", p.has_best},
            {"best_loss", p.best.loss},
            {"best_quality", p.best.quality},
            {"best_epoch", p.best_epoch},
            {"without_better", p.without_better},
            {"stopped_early", p.stopped_early},
            {"finished", p.finished},
            {"lesson_loss", p.lesson.loss},
            {"lesson_quality", p.lesson.quality},
            {"lesson_weight", p.lesson.weight},
            {"lesson_tokens", p.lesson.tokens},
            {"examples", p.examples},
            {"trained_tokens", p.trained_tokens},
            {"train_seconds", p.train_seconds},
            {"seconds", p.seconds}};
}

Result<TrainingProgress> progress_from_json(const json::value& value) {
    constexpr std::int64_t most = std::int64_t{1} << 53;
    constexpr double far = 1e300;
    JsonFields fields(value, "the checkpoint's progress");
    TrainingProgress p;
    p.job_digest = fields.required_string("job_digest");
    p.step = fields.required_int("step", 0, most);
    p.epoch = fields.required_int("epoch", 0, most);
    p.batch = fields.required_int("batch", 0, most);
    p.has_best = fields.optional_bool("has_best", false);
    p.best = {fields.optional_number("best_loss", 0, -far, far), fields.optional_number("best_quality", 0, -far, far)};
    p.best_epoch = fields.required_int("best_epoch", 0, most);
    p.without_better = fields.required_int("without_better", 0, most);
    p.stopped_early = fields.optional_bool("stopped_early", false);
    p.finished = fields.optional_bool("finished", false);
    p.lesson = {fields.optional_number("lesson_loss", 0, -far, far),
                fields.optional_number("lesson_quality", 0, -far, far),
                fields.optional_number("lesson_weight", 0, 0, far), fields.optional_int("lesson_tokens", 0, 0, most)};
    p.examples = fields.required_int("examples", 0, most);
    p.trained_tokens = fields.optional_int("trained_tokens", 0, 0, most);
    p.train_seconds = fields.optional_number("train_seconds", 0, 0, far);
    p.seconds = fields.optional_number("seconds", 0, 0, far);
    ROOTSTOCK_CHECKED(fields.finish());
    return p;
}

std::filesystem::path file_in(const std::filesystem::path& folder) {
    return folder / "checkpoint" / "state.safetensors";
}

Result<torch::Tensor> vector_named(const Safetensors& file, const char* name, std::int64_t parameters) {
    auto found = file.tensors.find(name);
    if (found == file.tensors.end() || found->second.dtype != Dtype::f32 || found->second.elements() != parameters)
        return fail(ErrorCode::corrupt,
                    "the checkpoint's \"" + std::string(name) + "\" does not fit this model" + start_over);
    auto tensor = torch::empty({parameters}, torch::kFloat32);
    std::memcpy(tensor.data_ptr<float>(), found->second.bytes.data(), found->second.bytes.size());
    return tensor;
}

}  // namespace

Result<void> write_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint) {
    std::error_code failure;
    std::filesystem::create_directories(folder / "checkpoint", failure);
    return write_safetensors(file_in(folder), {{"values", floats(checkpoint.values)},
                                               {"first_moment", floats(checkpoint.first_moment)},
                                               {"second_moment", floats(checkpoint.second_moment)},
                                               {"best_values", floats(checkpoint.best_values)},
                                               {"progress", text(json::serialize(to_json(checkpoint.progress)))}});
}

Result<std::optional<Checkpoint>> read_checkpoint(const std::filesystem::path& folder, const std::string& job_digest,
                                                  std::int64_t parameters) {
    if (!std::filesystem::exists(file_in(folder))) return std::nullopt;
    auto file = read_safetensors(file_in(folder));
    if (!file) return fail(ErrorCode::corrupt, file.error().message + start_over);
    auto words = file->tensors.find("progress");
    if (words == file->tensors.end())
        return fail(ErrorCode::corrupt, std::string("the checkpoint has no progress") + start_over);
    const auto& bytes = words->second.bytes;
    ROOTSTOCK_TRY(value,
                  parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "the checkpoint's progress"));
    Checkpoint checkpoint;
    ROOTSTOCK_TRY(progress, progress_from_json(value));
    checkpoint.progress = progress;
    if (progress.job_digest != job_digest)
        return fail(ErrorCode::conflict,
                    std::string("the checkpoint belongs to another job: job.json or train.jsonl changed") + start_over);
    ROOTSTOCK_TRY(values, vector_named(*file, "values", parameters));
    ROOTSTOCK_TRY(first, vector_named(*file, "first_moment", parameters));
    ROOTSTOCK_TRY(second, vector_named(*file, "second_moment", parameters));
    ROOTSTOCK_TRY(best, vector_named(*file, "best_values", parameters));
    checkpoint.values = values;
    checkpoint.first_moment = first;
    checkpoint.second_moment = second;
    checkpoint.best_values = best;
    return checkpoint;
}

}  // namespace rootstock
