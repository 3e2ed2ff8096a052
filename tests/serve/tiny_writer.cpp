#include "tiny_writer.h"

#include <stdexcept>

#include "data/data.h"
#include "model/model.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t vocabulary = 400;

constexpr const char* sentences =
    "The card has not arrived yet. Where is my card? Please send me the card again.\n"
    "I have lost my phone and the bank does not answer. What is the weather in the city today?\n"
    "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}} {\"answer\": 42, \"items\": [1, 2, 3]}\n";

constexpr const char* chat_template = R"({%- if tools %}
{{- '<|im_start|>system\n# Tools\n' }}
{%- for tool in tools %}{{- tool | tojson }}{{- '\n' }}{%- endfor %}
{{- '<|im_end|>\n' }}
{%- endif %}
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\n' }}
{%- if message.content %}{{- message.content }}{%- endif %}
{%- for call in message.tool_calls or [] %}
{{- '\n<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' + call.function.arguments | tojson + '}\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}
)";

template <typename T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::string learned_tokenizer(const fs::path& folder) {
    const auto file = folder / "sentences.txt";
    must(write_file_atomically(file, sentences));
    TrainTokenizerOptions options;
    options.vocabulary_size = vocabulary;
    options.special_tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    auto text = must(train_tokenizer({file}, options));
    fs::remove(file);
    return text;
}

json::object config_of(const Tokenizer& tokenizer) {
    return {{"architectures", {"LlamaForCausalLM"}},
            {"model_type", "llama"},
            {"vocab_size", tokenizer.vocabulary_size()},
            {"hidden_size", 64},
            {"intermediate_size", 96},
            {"num_hidden_layers", 2},
            {"num_attention_heads", 4},
            {"num_key_value_heads", 2},
            {"max_position_embeddings", 512},
            {"hidden_act", "silu"},
            {"rms_norm_eps", 1e-6},
            {"rope_theta", 1000.0},
            {"tie_word_embeddings", true},
            {"bos_token_id", tokenizer.token_id("<|im_start|>").value()},
            {"eos_token_id", tokenizer.token_id("<|im_end|>").value()}};
}

HostTensor random_tensor(const TensorShape& wanted, SeededRandom& random) {
    std::size_t count = 1;
    for (auto size : wanted.shape) count *= static_cast<std::size_t>(size);
    const bool norm = wanted.name.find("norm") != std::string::npos;
    std::vector<float> values(count, 1.0f);
    if (!norm)
        for (float& value : values) value = static_cast<float>(random.normal() * 0.15);
    return make_tensor(wanted.shape, values);
}

}  // namespace

void make_tiny_writer(const fs::path& folder, std::uint64_t seed) {
    fs::create_directories(folder);
    const auto text = learned_tokenizer(folder);
    const auto tokenizer = must(Tokenizer::parse(text, "tokenizer.json"));
    const auto config = json::object{
        {"tokenizer_class", "PreTrainedTokenizerFast"}, {"eos_token", "<|im_end|>"}, {"chat_template", chat_template}};
    must(write_file_atomically(folder / "tokenizer.json", text));
    must(write_file_atomically(folder / "tokenizer_config.json", json::serialize(config)));
    must(write_file_atomically(folder / "config.json", json::serialize(config_of(tokenizer))));
    const auto spec = must(load_spec(folder));
    SeededRandom random(seed);
    std::map<std::string, HostTensor> tensors;
    for (const auto& wanted : tensors_of(spec))
        tensors[file_spelling(spec, wanted.name).names.front()] = random_tensor(wanted, random);
    must(write_safetensors(folder / "model.safetensors", tensors));
}

}  // namespace rootstock
