#include "flow/fetch/model_layout.h"

#include <gtest/gtest.h>

namespace rootstock {
namespace {

using Files = std::vector<std::string>;

TEST(ModelLayout, KeepsWhatAModelNeedsAndNothingElse) {
    Files files{"config.json",           "model.safetensors",
                "pytorch_model.bin",     "onnx/model.onnx",
                "tokenizer.json",        "README.md",
                "1_Pooling/config.json", "2_Dense/model.safetensors",
                "train_script.py",       "model-00001-of-00002.safetensors",
                "openvino/config.json",  "LICENSE"};
    EXPECT_EQ(files_to_keep(files),
              (Files{"config.json", "model.safetensors", "tokenizer.json", "README.md", "1_Pooling/config.json",
                     "2_Dense/model.safetensors", "model-00001-of-00002.safetensors", "LICENSE"}));
}

TEST(ModelLayout, FindsTheOutermostModelFolders) {
    EXPECT_EQ(model_folders({"p/m/config.json", "p/m/model.safetensors", "p/m/2_Dense/config.json",
                             "p/m/2_Dense/model.safetensors"}),
              Files{"p/m"});
    EXPECT_EQ(model_folders({"config.json", "model.safetensors.index.json"}), Files{""});
    EXPECT_TRUE(model_folders({"config.json", "sub/model.safetensors"}).empty());
}

TEST(ModelLayout, AGgufFileIsAModelWhenThereIsOne) {
    EXPECT_EQ(only_gguf({"p/__init__.py", "p/SmolLM2.Q4_1.gguf"}), "p/SmolLM2.Q4_1.gguf");
    EXPECT_EQ(only_gguf({"a.gguf", "b.gguf"}), "");
    EXPECT_EQ(only_gguf({"p/__init__.py"}), "");
    EXPECT_EQ(model_folders({"config.json", "model.gguf"}), Files{""});
    EXPECT_EQ(files_to_keep({"model.gguf", "other.gguf", "tokenizer.json"}), (Files{"model.gguf", "tokenizer.json"}));
}

TEST(ModelLayout, ReadsTheLicenceOfACard) {
    EXPECT_EQ(licence_of_card("---\nlanguage: en\nlicense: apache-2.0\ntags:\n- x\n---\n# Card"), "apache-2.0");
    EXPECT_EQ(licence_of_card("---\nlanguage: en\n---\nlicense: no"), "");
    EXPECT_EQ(licence_of_card("# Card\nlicense: no"), "");
}

}  // namespace
}  // namespace rootstock
