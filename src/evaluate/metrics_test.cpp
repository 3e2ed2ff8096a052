#include "evaluate/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

namespace rootstock {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double exact = 1e-12;

struct GoldenCase {
    std::vector<std::string> labels;
    std::vector<std::int32_t> truth;
    std::vector<float> probabilities;
};

GoldenCase read_case(const json::value& value, double unit) {
    GoldenCase c;
    for (int i = 0; i < value.at("classes").to_number<int>(); ++i) c.labels.push_back("class " + std::to_string(i));
    c.truth = json::value_to<std::vector<std::int32_t>>(value.at("truth"));
    for (double units : json::value_to<std::vector<double>>(value.at("units")))
        c.probabilities.push_back(static_cast<float>(units / unit));
    return c;
}

void expect_average(const AverageMeasures& mine, const json::value& expected) {
    EXPECT_NEAR(mine.precision, expected.at("precision").to_number<double>(), exact);
    EXPECT_NEAR(mine.recall, expected.at("recall").to_number<double>(), exact);
    EXPECT_NEAR(mine.f1, expected.at("f1-score").to_number<double>(), exact);
}

void expect_bins(const ClassificationReport& report, const json::array& expected) {
    ASSERT_EQ(report.bins.size(), expected.size());
    for (std::size_t b = 0; b < expected.size(); ++b) {
        EXPECT_EQ(report.bins[b].count, expected[b].at("count").to_number<std::int64_t>()) << "bin " << b;
        EXPECT_NEAR(report.bins[b].confidence, expected[b].at("confidence").to_number<double>(), exact);
        EXPECT_NEAR(report.bins[b].accuracy, expected[b].at("accuracy").to_number<double>(), exact);
    }
}

TEST(Metrics, EqualScikitLearn) {
    auto path = std::filesystem::path(ROOTSTOCK_SOURCE_DIR) / "tests" / "golden" / "report.json";
    auto golden = parse_json(read_file(path).value(), "report.json").value();
    ASSERT_GE(golden.at("cases").as_array().size(), 4u);
    for (const auto& value : golden.at("cases").as_array()) {
        SCOPED_TRACE(std::string(value.at("name").as_string()));
        auto c = read_case(value, golden.at("unit").to_number<double>());
        auto report = measure_classification(c.labels, c.truth, c.probabilities).value();
        const auto& expected = value.at("expected");
        EXPECT_NEAR(report.accuracy, expected.at("accuracy").to_number<double>(), exact);
        for (std::size_t i = 0; i < c.labels.size(); ++i) {
            const auto& one = expected.at("per_class").at(i);
            expect_average({report.classes[i].precision, report.classes[i].recall, report.classes[i].f1}, one);
            EXPECT_EQ(report.classes[i].support, one.at("support").to_number<std::int64_t>());
        }
        expect_average(report.macro, expected.at("macro"));
        expect_average(report.weighted, expected.at("weighted"));
        EXPECT_EQ(report.confusion, json::value_to<std::vector<std::int64_t>>(expected.at("confusion")));
        for (const auto& top : report.top) {
            const auto* share = expected.at("top").as_object().if_contains(std::to_string(top.k));
            if (share) {
                EXPECT_NEAR(top.accuracy, share->to_number<double>(), exact);
            }
        }
        EXPECT_NEAR(report.log_loss, expected.at("log_loss").to_number<double>(), exact);
        EXPECT_NEAR(report.brier, expected.at("brier").to_number<double>(), exact);
        EXPECT_NEAR(report.calibration_error, expected.at("calibration_error").to_number<double>(), exact);
        EXPECT_NEAR(report.roc_auc.value(), expected.at("roc_auc").to_number<double>(), exact);
        expect_bins(report, expected.at("bins").as_array());
    }
}

TEST(Metrics, NumbersEqualScikitLearn) {
    auto path = std::filesystem::path(ROOTSTOCK_SOURCE_DIR) / "tests" / "golden" / "report.json";
    auto golden = parse_json(read_file(path).value(), "report.json").value();
    ASSERT_EQ(golden.at("numbers").as_array().size(), 2u);
    for (const auto& value : golden.at("numbers").as_array()) {
        auto truth = json::value_to<std::vector<double>>(value.at("truth"));
        auto predicted = json::value_to<std::vector<double>>(value.at("predicted"));
        auto report = measure_numbers(truth, predicted).value();
        EXPECT_NEAR(report.rmse, value.at("rmse").to_number<double>(), 1e-9);
        EXPECT_NEAR(report.mae, value.at("mae").to_number<double>(), 1e-9);
        EXPECT_NEAR(report.r2.value(), value.at("r2").to_number<double>(), 1e-9);
    }
}

TEST(Metrics, NumbersThatCannotBeMeasuredAreRefused) {
    using Numbers = std::vector<double>;
    EXPECT_FALSE(measure_numbers(Numbers{}, Numbers{}));
    EXPECT_FALSE(measure_numbers(Numbers{1, 2}, Numbers{1}));
    EXPECT_FALSE(measure_numbers(Numbers{1}, Numbers{NAN}));
    EXPECT_FALSE(measure_numbers(Numbers{3, 3}, Numbers{1, 2}).value().r2) << "a truth that does not vary";
    EXPECT_THAT(largest_errors(Numbers{0, 0, 0}, Numbers{1, -5, 2}, 2), ElementsAre(1, 2));
}

TEST(Metrics, RankingNeedsTwoClasses) {
    auto report = measure_classification(std::vector<std::string>{"a", "b"}, std::vector<std::int32_t>{0, 0},
                                         std::vector<float>{0.5F, 0.5F, 1, 0})
                      .value();
    EXPECT_FALSE(report.roc_auc);
}

const std::vector<std::string> three{"a", "b", "c"};

TEST(Metrics, TopAccuracyStopsBelowTheNumberOfClasses) {
    auto top = [](std::size_t classes) {
        std::vector<std::string> labels(classes, "x");
        std::vector<float> row(classes, 1.0F / static_cast<float>(classes));
        auto report = measure_classification(labels, std::vector<std::int32_t>{0}, row).value();
        std::vector<int> ks;
        for (const auto& entry : report.top) ks.push_back(entry.k);
        return ks;
    };
    EXPECT_THAT(top(2), ElementsAre(1));
    EXPECT_THAT(top(3), ElementsAre(1));
    EXPECT_THAT(top(4), ElementsAre(1, 3));
    EXPECT_THAT(top(6), ElementsAre(1, 3, 5));
}

TEST(Metrics, RefusesWhatDoesNotFit) {
    auto message = [](std::vector<std::int32_t> truth, std::vector<float> probabilities) {
        auto report = measure_classification(three, truth, probabilities);
        EXPECT_FALSE(report);
        return report ? std::string() : report.error().message;
    };
    EXPECT_THAT(message({}, {}), HasSubstr("no example"));
    EXPECT_THAT(message({0}, {1, 0}), HasSubstr("2 probabilities do not fit 1 examples of 3 classes"));
    EXPECT_THAT(message({3}, {1, 0, 0}), HasSubstr("label 3"));
    EXPECT_THAT(message({-1}, {1, 0, 0}), HasSubstr("label -1"));
    EXPECT_THAT(message({0}, {0.5F, 0.1F, 0.1F}), HasSubstr("instead of 1"));
    EXPECT_THAT(message({0}, {2, -1, 0}), HasSubstr("outside 0 to 1"));
    EXPECT_THAT(message({0}, {NAN, 0, 1}), HasSubstr("outside 0 to 1"));
}

TEST(Metrics, NamesTheMostConfusedPairs) {
    std::vector<std::int32_t> truth{0, 0, 1, 2, 2};
    std::vector<float> probabilities{0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0};
    auto report = measure_classification(three, truth, probabilities).value();
    auto pairs = most_confused(report, 2);
    ASSERT_EQ(pairs.size(), 2u);
    EXPECT_EQ(pairs[0].truth, 0);
    EXPECT_EQ(pairs[0].predicted, 1);
    EXPECT_EQ(pairs[0].count, 2);
    EXPECT_EQ(most_confused(report, 100).size(), 3u);
}

TEST(Metrics, FindsTheMistakesItWasMostSureOf) {
    std::vector<std::int32_t> truth{0, 1, 1, 0};
    std::vector<float> probabilities{0.4F, 0.6F, 0.9F, 0.1F, 0.2F, 0.8F, 0.3F, 0.7F};
    EXPECT_THAT(confident_mistakes(truth, probabilities, 2, 2), ElementsAre(1, 3));
    EXPECT_THAT(confident_mistakes(truth, probabilities, 2, 9), ElementsAre(1, 3, 0));
}

}  // namespace
}  // namespace rootstock
