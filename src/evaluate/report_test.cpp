// GCC 12 sees an uninitialised function inside its own <regex> when sanitizers are on.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include "evaluate/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "evaluate/number_report.h"

namespace rootstock {
namespace {

using testing::HasSubstr;
using testing::Not;

ClassificationReport some_report(std::size_t classes, std::size_t examples = 400) {
    SeededRandom random(7);
    std::vector<std::string> labels;
    for (std::size_t c = 0; c < classes; ++c) labels.push_back("class_" + std::to_string(c));
    std::vector<std::int32_t> truth;
    std::vector<float> probabilities;
    for (std::size_t i = 0; i < examples; ++i) {
        auto right = random.below(classes), guess = random.uniform() < 0.8 ? right : random.below(classes);
        truth.push_back(static_cast<std::int32_t>(right));
        auto sure = static_cast<float>(0.5 + 0.5 * random.uniform());
        for (std::size_t c = 0; c < classes; ++c)
            probabilities.push_back(c == guess ? sure : (1 - sure) / static_cast<float>(classes - 1));
    }
    return measure_classification(labels, truth, probabilities).value();
}

EvaluationPage some_page(std::size_t classes = 3) {
    EvaluationPage page;
    page.title = "support@1";
    page.report = some_report(classes);
    for (int i = 1; i <= 100; ++i) page.loss.push_back({i * 10.0, 3.0 / i});
    page.accuracy = {{300, 0.7}, {600, 0.85}, {900, 0.84}};
    page.settings = {{"learning rate", "0.001"}};
    page.lineage = {{"dataset", "abc"}};
    page.truncated = 12;
    page.mistakes = {{17, "where is my card?", "class_0", "class_1", 0.97}};
    return page;
}

std::size_t occurrences(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

TEST(TerminalReport, ShowsAllClassesWhereTheyFit) {
    auto text = to_terminal(some_report(3));
    EXPECT_THAT(text, HasSubstr("accuracy"));
    EXPECT_THAT(text, HasSubstr("class_2"));
    EXPECT_THAT(text, HasSubstr("macro average"));
    EXPECT_THAT(text, HasSubstr("most often confused"));
    EXPECT_TRUE(text.ends_with("\n"));
}

TEST(TerminalReport, ShortensLongListsUnlessAsked) {
    auto report = some_report(40);
    EXPECT_THAT(to_terminal(report), HasSubstr("28 better classes not shown"));
    auto all = to_terminal(report, {.all_classes = true});
    for (const auto& c : report.classes) EXPECT_THAT(all, HasSubstr(c.label));
}

TEST(TerminalReport, PutsTheWorstClassFirst) {
    auto report = some_report(40);
    auto worst = std::ranges::min_element(report.classes, {}, &ClassMeasures::f1);
    auto text = to_terminal(report);
    auto first_row = text.find("class_");
    EXPECT_EQ(text.compare(first_row, worst->label.size(), worst->label), 0);
}

TEST(TerminalReport, AlignsWideCharactersAndDefusesControlCharacters) {
    auto report = some_report(3);
    report.classes[0].label = "\u5361\u7247\u4e22\u5931";
    report.classes[1].label = "evil\x1b[31m";
    report.classes[2].label = std::string(200, 'x');
    auto text = to_terminal(report);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_THAT(text, HasSubstr("\u5361\u7247\u4e22\u5931"));
    EXPECT_THAT(text, Not(HasSubstr(std::string(60, 'x'))));
}

TEST(JsonReport, CarriesEverything) {
    auto value = to_json(some_page());
    EXPECT_EQ(value.at("format"), 1);
    EXPECT_EQ(value.at("truncated"), 12);
    EXPECT_EQ(value.at("classes").as_array().size(), 3u);
    EXPECT_EQ(value.at("confusion").at(2).as_array().size(), 3u);
    EXPECT_EQ(value.at("reliability").as_array().size(), 15u);
    EXPECT_EQ(value.at("loss_curve").as_array().size(), 100u);
    EXPECT_EQ(value.at("settings").at("learning rate"), "0.001");
    EXPECT_EQ(value.at("mistakes").at(0).at("row"), 17);
    EXPECT_TRUE(parse_json(json::serialize(value), "report"));
}

TEST(HtmlReport, NeedsNothingFromOutside) {
    auto html = to_html(some_page());
    EXPECT_FALSE(std::regex_search(html, std::regex("(src|href|url\\(|@import|https?:|//[a-z]+\\.)")));
    EXPECT_EQ(occurrences(html, "<svg"), 4u);
    EXPECT_THAT(html, HasSubstr("prefers-color-scheme:dark"));
    EXPECT_THAT(html, HasSubstr("混淆矩阵"));
    EXPECT_THAT(html, HasSubstr("where is my card?"));
    EXPECT_THAT(html, HasSubstr("learning rate"));
}

TEST(HtmlReport, EscapesEveryTextFromOutside) {
    auto page = some_page();
    const std::string evil = "</script><img onerror=\"x()\">&'\x01\xFF";
    page.title = evil;
    page.report.classes[0].label = evil;
    page.settings = {{evil, evil}};
    page.lineage = {{evil, evil}};
    page.mistakes = {{1, evil, evil, evil, 0.9}};
    auto html = to_html(page);
    EXPECT_THAT(html, Not(HasSubstr("<img")));
    EXPECT_THAT(html, Not(HasSubstr("</script><i")));
    EXPECT_EQ(html.find('\x01'), std::string::npos);
    EXPECT_THAT(html, HasSubstr("&lt;img onerror=&quot;x()&quot;&gt;&amp;&#39;"));
}

TEST(HtmlReport, DrawsEveryCellThatHasExamples) {
    auto page = some_page(77);
    std::size_t cells = 0;
    for (auto count : page.report.confusion) cells += count > 0;
    EXPECT_EQ(occurrences(to_html(page), "data-cell=\""), cells);
}

TEST(NumberReports, StandInEveryForm) {
    NumberPage page;
    page.title = "price@1";
    page.report = measure_numbers(std::vector<double>{1, 2, 4}, std::vector<double>{1, 2.5, 3}).value();
    page.loss = {{10, 1}, {20, 0.5}};
    page.worst = {{3, "size=<4>", "4", "3", 0}};
    EXPECT_THAT(to_terminal(page.report), HasSubstr("MAE 0.5"));
    EXPECT_EQ(to_json(page).at("mae").to_number<double>(), 0.5);
    EXPECT_EQ(to_json(page).at("farthest_off").at(0).at("row"), 3);
    auto html = to_html(page);
    EXPECT_THAT(html, HasSubstr("size=&lt;4&gt;"));
    EXPECT_FALSE(std::regex_search(html, std::regex("(src|href|url\\(|@import|https?:|//[a-z]+\\.)")));
}

TEST(HtmlReport, StandsWithoutCurvesAndMistakes) {
    auto page = some_page(2);
    page.loss = {{0, NAN}};
    page.accuracy.clear();
    page.mistakes.clear();
    page.settings.clear();
    page.lineage.clear();
    auto html = to_html(page);
    EXPECT_EQ(occurrences(html, "not recorded"), 2u);
    EXPECT_THAT(html, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace rootstock
