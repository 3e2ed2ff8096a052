#pragma once
// A language model too small to say anything sensible, complete with tokenizer and chat template: for the tests of
// what is built around a model.

#include <filesystem>

namespace rootstock {

// Writes the folder of a Llama of 2 layers, 512 positions and seeded random weights. Conversations in ChatML, tools and
// their calls between <tool_call> and </tool_call>. Throws what goes wrong.
void make_tiny_writer(const std::filesystem::path& folder, std::uint64_t seed);

}  // namespace rootstock
