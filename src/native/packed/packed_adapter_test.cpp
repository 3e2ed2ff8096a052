// Packed copies of adapters: the same answers to the bit, and no copy is believed that is damaged or of something else.

#include <gtest/gtest.h>

#include <fstream>

#include "native/native.h"
#include "native/packed/packed_form.h"
#include "native/test_places.h"

namespace rootstock {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 11;
const std::string kBase(64, 'b');

class PackedAdapters : public ::testing::TestWithParam<Precision> {
protected:
    PackedAdapters()
        : model_(load_model(golden_folder() / "tiny_bert").value()),
          native_(NativeModel::load(model_, {GetParam(), 1}).value()),
          folder_(fs::temp_directory_path() / ("packed-" + secret_base62(8))) {
        SeededRandom random(kSeed);
        const auto numbers = [&](std::size_t count) {
            std::vector<float> values(count);
            for (auto& value : values) value = static_cast<float>(0.2 * (random.uniform() - 0.5));
            return values;
        };
        int rank = 0;
        for (const auto& map : linear_maps(model_.spec)) {
            if (++rank % 4 == 0) continue;  // ranks differ, odd ones among them, and some maps have none
            const auto size = [&](int side) { return static_cast<std::size_t>(rank * side); };
            adapter_.pairs[map.module] = {rank, 0.5f, map.in, map.out, numbers(size(map.in)), numbers(size(map.out))};
        }
        const auto width = static_cast<std::size_t>(model_.spec.width);
        adapter_.head = {3, model_.spec.width, numbers(3 * width), numbers(3)};
        adapter_.labels = {"yes", "no", "\xc3\xa9"};
        adapter_.max_tokens = 17;
        EXPECT_TRUE(save_adapter(folder_, adapter_, model_.spec));
        adapter_ = load_adapter(folder_, model_.spec).value();
        made_ = NativeAdapter::load(*native_, adapter_).value();
        EXPECT_TRUE(made_->save_packed(*native_, folder_, adapter_stamp(folder_).value(), adapter_, kBase));
    }
    ~PackedAdapters() override {
        fs::remove_all(folder_);
        fs::remove(copy());
    }

    fs::path copy() const { return folder_.string() + ".packed"; }
    Result<PackedAdapter> load(const std::string& base = kBase) const {
        return NativeAdapter::load_packed(*native_, folder_, base);
    }
    std::vector<float> answers(const NativeAdapter& adapter) const {
        Executor executor(native_);
        PackedBatch batch;
        batch.add_row(std::vector<std::int32_t>{5, 6, 7, 8, 9});
        const auto* one = &adapter;
        const auto logits = executor.classify(batch, {&one, 1}).value();
        return {logits.values.begin(), logits.values.end()};
    }
    void write(const std::string& bytes) const { ASSERT_TRUE(write_file_atomically(copy(), bytes)); }

    Model model_;
    std::shared_ptr<const NativeModel> native_;
    fs::path folder_;
    Adapter adapter_;
    std::shared_ptr<const NativeAdapter> made_;
};

TEST_P(PackedAdapters, AnswerAsTheFolderDoes) {
    const auto packed = load();
    ASSERT_TRUE(packed) << packed.error().message;
    EXPECT_EQ(answers(*packed->native), answers(*made_));
    EXPECT_EQ(packed->native->bytes(), made_->bytes());
    EXPECT_NE(packed->native->serial(), made_->serial());
    EXPECT_EQ(packed->labels, adapter_.labels);
    EXPECT_EQ(packed->task, "classify");
    EXPECT_EQ(packed->max_tokens, 17);
    EXPECT_FALSE(packed->has_self_tests);
}

TEST_P(PackedAdapters, OfAnotherBaseAreRefused) {
    const auto packed = load(std::string(64, 'c'));
    ASSERT_FALSE(packed);
    EXPECT_EQ(packed.error().reason, "packed_stale");
}

TEST_P(PackedAdapters, OfAnotherPrecisionAreRefused) {
    const auto other = GetParam() == Precision::fp32 ? Precision::bf16 : Precision::fp32;
    const auto model = NativeModel::load(model_, {other, 1}).value();
    if (model->precision() != other || native_->precision() != GetParam()) GTEST_SKIP() << "this CPU has no bf16";
    const auto packed = NativeAdapter::load_packed(*model, folder_, kBase);
    ASSERT_FALSE(packed);
    EXPECT_EQ(packed.error().reason, "packed_stale");
}

TEST_P(PackedAdapters, OfAFolderThatChangedAreRefused) {
    fs::last_write_time(folder_ / "adapter_model.safetensors",
                        fs::file_time_type::clock::now() + std::chrono::hours(1));
    const auto packed = load();
    ASSERT_FALSE(packed);
    EXPECT_EQ(packed.error().reason, "packed_stale");
}

// A copy that came under another adapter's name says nothing in that one's place.
TEST_P(PackedAdapters, OfAnotherAdapterAreRefused) {
    const auto other = fs::path(folder_.string() + "-other");
    ASSERT_TRUE(save_adapter(other, adapter_, model_.spec));
    fs::copy_file(copy(), other.string() + ".packed");
    const auto packed = NativeAdapter::load_packed(*native_, other, kBase);
    EXPECT_FALSE(packed);
    EXPECT_EQ(packed.error().reason, "packed_stale");
    fs::remove_all(other);
    fs::remove(other.string() + ".packed");
}

TEST_P(PackedAdapters, ThatAreMissingAreSaidToBe) {
    fs::remove(copy());
    const auto packed = load();
    ASSERT_FALSE(packed);
    EXPECT_EQ(packed.error().code, ErrorCode::not_found);
}

// Every bit counts: each block of the file is spoilt in turn, and each length that is too short is tried at a block's
// end.
TEST_P(PackedAdapters, ThatAreDamagedAreNoticed) {
    const auto whole = read_file(copy()).value();
    SeededRandom random(kSeed);
    for (std::size_t at = 0; at < whole.size(); at += kPackedBlock) {
        auto bytes = whole;
        const auto place = at + random.below(kPackedBlock);
        bytes[place] = static_cast<char>(bytes[place] ^ (1 << random.below(8)));
        write(bytes);
        EXPECT_FALSE(load()) << "byte " << place << ", seed " << kSeed;
        if (at % (kPackedBlock * 16) != 0) continue;
        write(whole.substr(0, at));
        EXPECT_FALSE(load()) << "only " << at << " bytes";
    }
    write(whole + std::string(kPackedBlock, '\0'));
    EXPECT_FALSE(load());
    write(whole);
    EXPECT_TRUE(load());
}

TEST_P(PackedAdapters, WithBlocksInAnotherOrderAreNoticed) {
    auto bytes = read_file(copy()).value();
    const auto last = bytes.size() - kPackedBlock;
    std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(last), bytes.end(),
                     bytes.begin() + static_cast<std::ptrdiff_t>(last - 4 * kPackedBlock));
    write(bytes);
    const auto packed = load();
    ASSERT_FALSE(packed);
    EXPECT_EQ(packed.error().code, ErrorCode::corrupt);
}

INSTANTIATE_TEST_SUITE_P(Of, PackedAdapters, ::testing::Values(Precision::fp32, Precision::bf16),
                         [](const auto& one) { return one.param == Precision::fp32 ? "fp32" : "bf16"; });

}  // namespace
}  // namespace rootstock
