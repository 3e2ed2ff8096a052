#include "flow/tuning/auto_settings.h"

#include <algorithm>
#include <cmath>

namespace rootstock {

namespace {

// Many short steps and a patient end: a table's rows are few and cheap.
TrainSettings usual_table_training() {
    TrainSettings train;
    train.epochs = 100;
    train.batch_examples = 64;
    train.learning_rate = 5e-4;
    train.head_learning_rate = 0;
    train.weight_decay = 1e-5;
    train.warmup = 0.02;
    train.label_smoothing = 0;
    train.validation = 0.15;
    train.patience = 10;
    return train;
}

}  // namespace

LoraSettings usual_lora_settings(std::string_view) { return {}; }

TrainSettings usual_train_settings(std::string_view task) {
    if (task == "table") return usual_table_training();
    TrainSettings train;
    if (task != "chat") return train;
    train.label_smoothing = 0;
    train.head_learning_rate = 0;
    train.epochs = 3;
    train.batch_examples = 8;
    train.learning_rate = 4e-4;
    train.max_tokens = usual_chat_tokens;
    train.patience = 2;
    return train;
}

int auto_epochs(std::int64_t rows) {
    constexpr std::int64_t examples = 6000, most = 10;
    return static_cast<int>(std::clamp<std::int64_t>(examples / std::max<std::int64_t>(1, rows), 1, most));
}

int auto_batch_examples(std::int64_t rows) {
    constexpr std::int64_t steps = 100, most = 32;
    return static_cast<int>(std::clamp<std::int64_t>(rows / steps, 1, most));
}

double auto_learning_rate(int batch_examples, int model_width) {
    constexpr double usual = 1e-3, widest_batch = 32, usual_width = 1024;
    const double batch = std::sqrt(std::min(1.0, batch_examples / widest_batch));
    return usual * batch * std::min(1.0, usual_width / model_width);
}

TrainSettings settle(const TrainSettings& given, const AutoSettings& automatic, std::int64_t rows, int model_width,
                     int positions_max) {
    auto train = given;
    if (automatic.epochs) train.epochs = auto_epochs(rows);
    if (automatic.batch_examples) train.batch_examples = auto_batch_examples(rows);
    if (automatic.learning_rate)
        train.learning_rate =
            automatic.learning_rate_multiplier * auto_learning_rate(train.batch_examples, model_width);
    if (automatic.max_tokens) train.max_tokens = std::min(usual_chat_tokens, positions_max);
    return train;
}

}  // namespace rootstock
