#pragma once
// Settings that fit a task, and those that are best left to the size of the data: what "auto" means for n_epochs,
// batch_size and learning_rate_multiplier of the fine-tuning API.

#include <cstdint>
#include <string_view>

#include "base/base.h"

namespace rootstock {

// Which of the settings were not said.
struct AutoSettings {
    bool epochs = false;
    bool batch_examples = false;
    bool learning_rate = false;
    double learning_rate_multiplier = 1;  // of the automatic learning rate
    bool max_tokens = false;              // what the model takes, at most usual_chat_tokens
};

constexpr int usual_chat_tokens = 2048;

// What `rootstock finetune --task TASK` begins with; for chat all of AutoSettings is on.
LoraSettings usual_lora_settings(std::string_view task);
TrainSettings usual_train_settings(std::string_view task);

// Few rows are seen more often: about 6,000 examples in all, within 1 to 10 epochs.
int auto_epochs(std::int64_t rows);

// About a hundredth of the rows, 1 to 32, so that an epoch has a hundred steps as soon as there are enough rows.
int auto_batch_examples(std::int64_t rows);

// Peak learning rate of low-rank matrices of a language model: 1e-3 for the widest batch, by the root of the batch's
// share of it below (Malladi et al., 2022); smaller for models wider than 1,024, by their width.
double auto_learning_rate(int batch_examples, int model_width);

// Fills in what `automatic` leaves open.
TrainSettings settle(const TrainSettings& given, const AutoSettings& automatic, std::int64_t rows, int model_width,
                     int positions_max);

}  // namespace rootstock
