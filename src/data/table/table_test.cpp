#include "data/table/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "data/table/cells.h"
#include "data/test_places.h"

namespace rootstock {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TableRows rows_of(const std::string& bytes, const std::string& name = "t.csv") {
    static test::TemporaryFolder folder;
    std::ofstream(folder / name, std::ios::binary) << bytes;
    TableReadOptions options;
    if (name == "t.csv") options.read.header = true;
    auto table = read_table(folder / name, options);
    EXPECT_TRUE(table) << table.error().message;
    return table ? *table : TableRows{};
}

TableRows real_table(const std::string& name) {
    TableReadOptions options;
    if (name.starts_with("cmapss")) options.read = {.format = TableFormat::csv, .delimiter = ' ', .header = false};
    auto table = read_table(test::shared_data() / name, options);
    EXPECT_TRUE(table) << table.error().message;
    return table ? *table : TableRows{};
}

std::vector<std::size_t> all_but_every_fourth(const TableRows& table) {
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < table.records.size(); ++i)
        if (i % 4 != 0) rows.push_back(i);
    return rows;
}

TableSchema learn(const TableRows& table, const TableOptions& options = {}) {
    auto schema = learn_table_schema(table, all_rows(table), options);
    EXPECT_TRUE(schema) << schema.error().message;
    return schema ? *schema : TableSchema{};
}

Error learn_error(const TableRows& table, const TableOptions& options) {
    auto schema = learn_table_schema(table, all_rows(table), options);
    EXPECT_FALSE(schema);
    return schema ? Error{} : schema.error();
}

// The roles in the order of the columns: n, c, d, and a minus for those left out.
std::string roles_of(const TableSchema& schema) {
    std::string letters;
    for (const auto& column : schema.columns)
        letters += column.role == ColumnRole::left_out ? '-' : name(column.role)[0];
    return letters;
}

const TableColumn& column_of(const TableSchema& schema, const std::string& name) {
    auto found = std::ranges::find(schema.columns, name, &TableColumn::name);
    EXPECT_NE(found, schema.columns.end()) << name;
    return *found;
}

void expect_round_trip(const TableSchema& schema) {
    auto text = table_schema_json(schema);
    auto back = parse_table_schema(text, "columns.json");
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(*back == schema);
    EXPECT_EQ(table_schema_json(*back), text);
}

// ---- real tables

TEST(RealTables, GermanCreditIsReadAsItsDescriptionSays) {
    auto table = real_table("german-credit/german.csv");
    auto schema = learn(table, {.label = "21"});
    EXPECT_EQ(roles_of(schema), "cnccnccnccncnccncncc");  // german.names: 7 numerical, 13 categorical
    EXPECT_EQ(schema.label.kind, LabelKind::classes);
    EXPECT_THAT(schema.label.classes, ElementsAre("1", "2"));
    EXPECT_EQ(schema.columns[0].categories, (std::vector<std::string>{"A14", "A11", "A12", "A13"}));
    EXPECT_EQ(schema.columns[0].reason, "4 different values among 1,000");
    EXPECT_EQ(schema.columns[1].reason, "all 1,000 values are numbers");
    EXPECT_EQ(schema.numeric_names().size(), 7u);
    EXPECT_EQ(schema.category_counts().size(), 13u);
    EXPECT_EQ(schema.category_counts()[0], 6);
    EXPECT_EQ(schema.category_name(0, 2), "A14");
    EXPECT_EQ(schema.category_name(0, 0), "(missing)");
    EXPECT_EQ(schema.category_name(12, 1), "(not seen in training)");
    expect_round_trip(schema);
}

TEST(RealTables, PredictiveMaintenanceKeepsIdentifiersOut) {
    auto table = real_table("ai4i2020/ai4i2020.csv");
    for (const auto& rows : {all_rows(table), all_but_every_fourth(table)}) {
        auto schema = learn_table_schema(table, rows, {.label = "Machine failure"}).value();
        EXPECT_EQ(roles_of(schema), "--cnnnnnccccc");
        EXPECT_THAT(schema.columns[0].reason, HasSubstr("an identifier: whole numbers"));
        EXPECT_THAT(schema.columns[1].reason, HasSubstr("an identifier: all"));
        EXPECT_EQ(schema.columns[2].categories, (std::vector<std::string>{"L", "M", "H"}));
        EXPECT_THAT(schema.columns[8].reason, HasSubstr("flag"));
        EXPECT_THAT(schema.label.classes, ElementsAre("0", "1"));
        expect_round_trip(schema);
    }
}

TEST(RealTables, TurbofanSensorsThatNeverChangeAreKeptOut) {
    auto table = real_table("cmapss-fd003/test_FD003.txt");
    ASSERT_EQ(table.records.size(), 16596u);
    auto schema = learn(table, {.scaling = NumberScaling::Kind::standard});
    EXPECT_EQ(roles_of(schema), "nnnn--nnn-nnnnnnnnnn-n--nn--");
    EXPECT_EQ(column_of(schema, "6").reason, "constant: every row holds '518.67'");
    EXPECT_EQ(column_of(schema, "28").reason, "every value is missing");
    expect_round_trip(schema);
}

TEST(RealTables, ScalingIsThatOfScikitLearn) {
    auto golden = parse_json(read_file(test::golden() / "table_scaling.json").value(), "table_scaling.json").value();
    std::size_t compared = 0;
    for (const auto& one : golden.at("tables").as_array()) {
        auto table = real_table(std::string(one.at("file").as_string()));
        ASSERT_EQ(table.records.size(), one.at("rows").to_number<std::size_t>());
        for (std::string kind : {"standard", "quantile"}) {
            TableOptions options{.scaling = kind == "standard" ? NumberScaling::Kind::standard
                                                               : NumberScaling::Kind::quantile};
            auto schema = learn_table_schema(table, all_but_every_fourth(table), options).value();
            for (const auto& [column, numbers] : one.at("columns").as_object()) {
                SCOPED_TRACE(kind + " " + std::string(column));
                const auto& scaling = column_of(schema, std::string(column)).scaling;
                const auto& values = numbers.at("values").as_array();
                for (std::size_t i = 0; i < values.size(); ++i, ++compared)
                    EXPECT_NEAR(scaling.apply(values[i].to_number<double>()),
                                numbers.at(kind).as_array()[i].to_number<double>(), 1e-6)
                        << values[i];
            }
        }
    }
    EXPECT_GT(compared, 1500u);
}

TEST(RealTables, PackedNumbersAreTheScaledOnes) {
    auto table = real_table("ai4i2020/ai4i2020.csv");
    auto schema = learn_table_schema(table, all_but_every_fourth(table), {.label = "Machine failure"}).value();
    auto encoded = encode_table(schema, table, all_rows(table), LabelUse::require).value();
    EXPECT_EQ(encoded.rows, 10'000);
    EXPECT_EQ(encoded.numeric.size(), 50'000u);
    EXPECT_EQ(encoded.categories.size(), 60'000u);
    EXPECT_EQ(std::ranges::count(encoded.classes, 1), 339);
    EXPECT_THAT(encoded.problems, IsEmpty());
    for (std::size_t row = 0; row < 10'000; row += 997) {
        auto torque = parse_number(*table.records[row].values[6]).value();
        EXPECT_EQ(encoded.numeric[row * 5 + 3],
                  static_cast<float>(column_of(schema, "Torque [Nm]").scaling.apply(torque)));
        EXPECT_EQ(schema.category_name(0, encoded.categories[row * 6]), *table.records[row].values[2]);
    }
}

// ---- detection

TEST(TableSchemas, MissingSpellingsAreNoValues) {
    auto schema = learn(rows_of("a,b,c\n1,x,p\nNA,x,p\n?,y,q\n2.5,-,q\n 3 ,NULL,\n,y,none\n"));
    EXPECT_EQ(roles_of(schema), "ncc");
    EXPECT_EQ(schema.columns[0].reason, "all 3 values are numbers");
    EXPECT_EQ(schema.columns[1].categories, (std::vector<std::string>{"x", "y"}));
    auto own = learn(rows_of("a,b\n1,none\n2,none\n3,NA\n1,NA\n-,none\n"), {.missing = {"-"}});
    EXPECT_EQ(own.columns[1].categories, (std::vector<std::string>{"none", "NA"}));
    EXPECT_EQ(roles_of(own), "nc");
}

TEST(TableSchemas, CodesAreNoNumbers) {
    auto schema = learn(rows_of("zip,flag,n\n01234,0,5\n99999,1,7\n01234,1,5\n99999,0,6\n"));
    EXPECT_EQ(roles_of(schema), "ccn");
    EXPECT_THAT(schema.columns[0].reason, HasSubstr("leading zeros"));
}

TEST(TableSchemas, AFewOddCellsAreNotedAndReported) {
    std::string bytes = "a,b\n";
    for (int i = 0; i < 199; ++i) bytes += fmt::format("{},{}\n", i * i % 37, i % 3 ? "u" : "v");
    auto table = rows_of(bytes + "about 5,u\n");
    auto schema = learn(table);
    EXPECT_EQ(schema.columns[0].role, ColumnRole::numeric);
    EXPECT_EQ(schema.columns[0].note, "1 of 200 values are no numbers, such as 'about 5'; they count as missing");
    auto encoded = encode_table(schema, table, all_rows(table), LabelUse::ignore).value();
    EXPECT_THAT(encoded.problems,
                ElementsAre(Problem{200, 201, "a", "'about 5' is not a number; it counts as missing"}));
    EXPECT_EQ(encoded.numeric_missing.back(), 1);
    EXPECT_EQ(encoded.numeric.back(), 0.0F);
}

TEST(TableSchemas, DatesTellTheirOrder) {
    auto order = [](const std::string& bytes) {
        auto schema = learn(rows_of("when,x\n" + bytes));
        EXPECT_EQ(schema.columns[0].role, ColumnRole::date) << schema.columns[0].reason;
        return std::pair(schema.columns[0].order, schema.columns[0].note);
    };
    EXPECT_EQ(order("31/01/2024,1\n01/02/2024,2\n").first, DateOrder::day_first);
    EXPECT_EQ(order("01/31/2024,1\n01/02/2024,2\n").first, DateOrder::month_first);
    EXPECT_THAT(order("03/01/2024,1\n01/02/2024,2\n").second, HasSubstr("could be exchanged"));
    EXPECT_EQ(order("2024-01-31,1\n2024-02-01T10:00:00Z,2\n").second, "");
}

TEST(TableSchemas, UncommonCategoriesAndFreeTextAreTold) {
    std::string bytes = "kind,remark\n";
    for (int i = 0; i < 40; ++i)
        bytes += fmt::format("{},remark {}\n", i == 7 ? "rare" : i % 2 ? "a" : "b", i == 39 ? 0 : i);
    auto table = rows_of(bytes);
    auto schema = learn(table);
    EXPECT_EQ(schema.columns[0].categories, (std::vector<std::string>{"b", "a"}));
    EXPECT_EQ(schema.columns[1].reason, "free text: 39 different values among 40");
    auto encoded = encode_table(schema, table, all_rows(table), LabelUse::ignore).value();
    EXPECT_EQ(encoded.categories[7], TableSchema::unknown_id);
    EXPECT_EQ(learn(table, {.categories_max = 1}).columns[0].categories, (std::vector<std::string>{"b"}));
}

TEST(TableSchemas, ChosenRolesHold) {
    auto table = rows_of("id,size,flat\n1,10,5\n2,20,5\n3,30,5\n4,20,5\n");
    auto schema = learn(table, {.roles = {{"size", ColumnRole::categorical}, {"flat", ColumnRole::numeric}}});
    EXPECT_EQ(column_of(schema, "size").categories, (std::vector<std::string>{"20"}));
    EXPECT_THAT(column_of(schema, "size").reason, HasSubstr("chosen; detected was numeric"));
    EXPECT_EQ(column_of(schema, "flat").role, ColumnRole::numeric);
    expect_round_trip(schema);
    EXPECT_THAT(learn_error(table, {.roles = {{"sice", ColumnRole::numeric}}}).message,
                HasSubstr("'sice', which is not there; the rows have the columns 'id', 'size', 'flat'"));
    EXPECT_THAT(learn_error(rows_of("a,b\nx,1\ny,2\nx,3\n"), {.roles = {{"a", ColumnRole::numeric}}}).message,
                HasSubstr("the column 'a' cannot be numeric"));
}

TEST(TableSchemas, LabelsAreClassesOrNumbers) {
    std::string bytes = "x,price\n";
    for (int i = 0; i < 50; ++i) bytes += fmt::format("{},{}\n", i % 7, 100 + i * 3.5);
    auto table = rows_of(bytes);
    auto schema = learn(table, {.label = "price"});
    ASSERT_EQ(schema.label.kind, LabelKind::number);
    expect_round_trip(schema);
    auto encoded = encode_table(schema, table, all_rows(table), LabelUse::require).value();
    EXPECT_NEAR(schema.label.scaling.undo(encoded.targets[3]), 110.5, 1e-4);
    EXPECT_EQ(learn(table, {.label = "price", .label_kind = LabelKind::classes}).label.classes.size(), 50u);
    EXPECT_EQ(learn_error(table, {.label = "cost"}).param, "label");
    EXPECT_THAT(learn_error(rows_of("x,y\n1,k\n2,k\n"), {.label = "y"}).message, HasSubstr("one class only ('k')"));
}

TEST(TableSchemas, OnlyTrainingRowsCount) {
    auto table = rows_of("a,b,label\n1,x,p\n2,x,q\n3,y,p\n1000,y,q\n1000,z,r\n");
    std::vector<std::size_t> training = {0, 1, 2};
    auto schema =
        learn_table_schema(table, training, {.label = "label", .scaling = NumberScaling::Kind::standard}).value();
    EXPECT_DOUBLE_EQ(column_of(schema, "a").scaling.mean, 2);
    EXPECT_THAT(schema.label.classes, ElementsAre("p", "q"));
    auto encoded = encode_table(schema, table, all_rows(table), LabelUse::require).value();
    EXPECT_EQ(encoded.rows, 4);
    EXPECT_THAT(encoded.row_numbers, ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(encoded.categories, ElementsAre(2, 2, 1, 1));
    ASSERT_EQ(encoded.problems.size(), 1u);
    EXPECT_EQ(encoded.problems[0].reason, "the label 'r' is not one of the 2 the model knows");
    EXPECT_FALSE(learn_table_schema(table, {}, {}));
}

// ---- encoding

TEST(TableEncoding, NamesColumnsThatAreMissingOrUnknown) {
    auto schema = learn(rows_of("a,b,c\n1,x,5\n2,x,5\n3,y,5\n4,y,5\n"));
    auto encode = [&](const std::string& bytes) {
        auto table = rows_of(bytes);
        return encode_table(schema, table, all_rows(table), LabelUse::ignore);
    };
    EXPECT_TRUE(encode("b,a\nx,1\n")) << "in another order, without the constant column";
    auto lacking = encode("b,c\nx,1\n");
    ASSERT_FALSE(lacking);
    EXPECT_EQ(lacking.error().message,
              "the rows lack the column 'a', which the model needs; they have the columns 'b', 'c'");
    auto unknown = encode("a,b,colour,size\n1,x,red,5\n");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().message,
              "the rows have the columns 'colour', 'size', which the model was not trained with; remove them");
    EXPECT_FALSE(encode_table(schema, rows_of("a,b\n1,x\n"), std::vector<std::size_t>{0}, LabelUse::require));
}

TEST(TableEncoding, PickedRowsStandInTheOrderAskedFor) {
    auto table = rows_of("a,b\n1,x\n2,x\n3,y\n4,y\n");
    auto encoded =
        encode_table(learn(table, {.scaling = NumberScaling::Kind::none}), table, all_rows(table), LabelUse::ignore)
            .value();
    auto picked = pick_rows(encoded, std::vector<std::size_t>{3, 0});
    EXPECT_EQ(picked.rows, 2);
    EXPECT_THAT(picked.numeric, ElementsAre(4.0F, 1.0F));
    EXPECT_THAT(picked.categories, ElementsAre(encoded.categories[3], encoded.categories[0]));
    EXPECT_EQ(pick_rows(ColumnBatch{}, {}).rows, 0);
}

TEST(TableEncoding, DatesBecomeFiveNumbers) {
    auto table = rows_of(
        "{\"when\":\"2024-01-01\",\"x\":1}\n{\"when\":\"2024-07-07T12:00:00Z\",\"x\":2.5}\n{\"x\":2}\n{\"when\":null,"
        "\"x\":3}\n",
        "t.jsonl");
    auto schema = learn(table, {.scaling = NumberScaling::Kind::none});
    EXPECT_THAT(schema.numeric_names(), ElementsAre("when: day", "when: weekday, sine", "when: weekday, cosine",
                                                    "when: month, sine", "when: month, cosine", "x"));
    auto encoded = encode_table(schema, table, all_rows(table), LabelUse::ignore).value();
    EXPECT_EQ(encoded.numeric[0], 19723.0F);
    EXPECT_EQ(encoded.numeric[1], 0.0F);  // a Monday in January
    EXPECT_EQ(encoded.numeric[2], 1.0F);
    EXPECT_EQ(encoded.numeric[6], 19911.5F);
    EXPECT_NEAR(encoded.numeric[7], std::sin(2 * M_PI * 6 / 7), 1e-6);  // a Sunday in July
    EXPECT_NEAR(encoded.numeric[10], -1, 1e-6);
    EXPECT_EQ(std::vector<std::uint8_t>(encoded.numeric_missing.begin() + 12, encoded.numeric_missing.begin() + 18),
              (std::vector<std::uint8_t>{1, 1, 1, 1, 1, 0}));
    EXPECT_THAT(encoded.problems, IsEmpty());
}

TEST(TableEncoding, IsTheSameForTheSameRows) {
    auto table = real_table("german-credit/german.csv");
    EXPECT_EQ(table_schema_json(learn(table, {.label = "21"})), table_schema_json(learn(table, {.label = "21"})));
    std::vector<std::size_t> backwards = all_rows(table);
    std::ranges::reverse(backwards);
    auto other = learn_table_schema(table, backwards, {.label = "21"}).value();
    EXPECT_EQ(table_schema_json(other), table_schema_json(learn(table, {.label = "21"})));
}

TEST(TableEncoding, HugeNumbersCountAsMissing) {
    auto table = rows_of("a,b\n1,2\n2,3\n3,4\n2,4\n");
    auto schema = learn(table, {.scaling = NumberScaling::Kind::standard});
    auto huge = rows_of("a,b\n1e300,2\n1e999,3\n");
    auto encoded = encode_table(schema, huge, all_rows(huge), LabelUse::ignore).value();
    EXPECT_THAT(encoded.numeric_missing, ElementsAre(1, 0, 1, 0));
    EXPECT_EQ(encoded.problems.size(), 2u);
    EXPECT_THAT(learn_error(rows_of("a\n1e308\n-1e308\n1e308\n"), {.scaling = NumberScaling::Kind::standard}).message,
                HasSubstr("too large to be scaled"));
}

// ---- files

TEST(TableSchemaFiles, WrongFieldsAreNamed) {
    auto schema = learn(rows_of("a,b\n1,x\n2,x\n3,y\n4,y\n"));
    const auto good = table_schema_json(schema);
    auto fault = [&](const std::string& part, const std::string& instead) {
        auto text = good;
        auto at = text.find(part);
        EXPECT_NE(at, std::string::npos) << part;
        text.replace(at, part.size(), instead);
        auto back = parse_table_schema(text, "columns.json");
        EXPECT_FALSE(back) << text;
        return back ? std::string() : back.error().message;
    };
    EXPECT_EQ(fault("rootstock-table-1", "rootstock-table-9"), "columns.json: 'format' must be 'rootstock-table-1'");
    EXPECT_THAT(fault("\"role\":\"numeric\"", "\"role\":\"number\""), HasSubstr("column 1: 'role' must be numeric"));
    EXPECT_THAT(fault("\"1\",\"2\"", "\"nan\",\"2\""),
                HasSubstr("'quantiles' must be finite numbers in ascending order"));
    EXPECT_THAT(fault("\"1\",\"2\"", "\"3\",\"2\""), HasSubstr("ascending"));
    EXPECT_THAT(fault("\"name\":\"b\"", "\"name\":\"a\""), HasSubstr("names 'a' twice"));
    EXPECT_THAT(fault("[\"x\",\"y\"]", "[\"x\",\"x\"]"), HasSubstr("'categories' must hold different"));
    EXPECT_THAT(fault("\"label\":null", "\"label\":{\"name\":\"l\",\"kind\":\"classes\",\"classes\":[\"1\"]}"),
                HasSubstr("label: 'classes' must hold at least 2"));
    for (std::size_t size = 0; size < good.size(); ++size)
        ASSERT_FALSE(parse_table_schema(std::string_view(good).substr(0, size), "cut"));
}

TEST(TableRowsFiles, RowsComeBackAsTheyWere) {
    test::TemporaryFolder folder;
    auto table = rows_of("{\"a\":\"1\"}\n{\"a\":2,\"b\":\"x \\\"y\\\"\"}\n{\"b\":\"\u5361\"}\n", "t.jsonl");
    ASSERT_EQ(table.records[0].values.size(), 1u) << "it ends before the second column";
    std::vector<std::size_t> chosen = {2, 1, 0};
    ASSERT_TRUE(write_table_rows(folder / "rows.jsonl", table, chosen));
    auto back = read_table_rows(folder / "rows.jsonl").value();
    EXPECT_EQ(back.columns, table.columns);
    ASSERT_EQ(back.records.size(), 3u);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        const auto& was = table.records[chosen[i]];
        EXPECT_EQ(back.records[i].row, was.row);
        EXPECT_EQ(back.records[i].line, was.line);
        for (std::size_t column = 0; column < was.values.size(); ++column)
            EXPECT_EQ(back.records[i].values[column], was.values[column]);
    }
    EXPECT_EQ(back.records[2].values.size(), 2u) << "a record that ended early has all its columns";
}

TEST(TableRowsFiles, WrongLinesAreNamed) {
    test::TemporaryFolder folder;
    auto fault = [&](const std::string& bytes) {
        std::ofstream(folder / "rows.jsonl") << bytes;
        auto read = read_table_rows(folder / "rows.jsonl");
        return read ? std::string("accepted") : read.error().message;
    };
    const std::string head = "{\"columns\":[\"a\"]}\n";
    EXPECT_EQ(fault(head + "{\"row\":1,\"line\":2,\"values\":[null]}\n"), "accepted");
    EXPECT_THAT(fault(head + "{\"row\":1,\"line\":2,\"values\":[]}\n"),
                HasSubstr("line 2: 'values' must be a list of 1"));
    EXPECT_THAT(fault(head + "{\"row\":1,\"line\":2,\"values\":[3]}\n"), HasSubstr("texts and null only"));
    EXPECT_THAT(fault(head + "{\"row\":0,\"line\":2,\"values\":[null]}\n"), HasSubstr("row"));
    EXPECT_THAT(fault("{\"columns\":[]}\n"), HasSubstr("must name 1 to"));
    EXPECT_THAT(fault(""), HasSubstr("names no columns"));
}

TEST(TableRowsFiles, LimitsAreNamed) {
    std::string header, row;
    for (int i = 0; i < 4097; ++i) header += fmt::format("{}c{}", i ? "," : "", i), row += i ? ",1" : "1";
    test::TemporaryFolder folder;
    std::ofstream(folder / "wide.csv") << header << "\n" << row << "\n";
    auto wide = read_table(folder / "wide.csv");
    ASSERT_FALSE(wide);
    EXPECT_EQ(wide.error().code, ErrorCode::too_large);
    EXPECT_THAT(wide.error().message, HasSubstr("has 4097 columns; at most 4096"));
    std::ofstream(folder / "long.csv") << "a,b\n1,2\n3,4\n5,6\n";
    EXPECT_EQ(read_table(folder / "long.csv", {.read = {}, .cells_max = 4}).error().code, ErrorCode::too_large);
}

// ---- cells and scales

TEST(Cells, NumbersAreDecimal) {
    EXPECT_EQ(parse_number("+1.5"), 1.5);
    EXPECT_EQ(parse_number("-.5e2"), -50);
    for (auto text : {"", "1,5", "0x1", "inf", "nan", "1e", "1 2", "+-1", "--1", "1e999", "5%"})
        EXPECT_FALSE(parse_number(text)) << text;
}

TEST(Cells, DatesInTheirSpellings) {
    for (auto text : {"2024-02-29", "2024/02/29", "2024-2-29", "29.02.2024", "29/02/2024", "29 Feb 2024", "29-Feb-2024",
                      "February 29, 2024", "Feb 29 2024", "2024\u5E742\u670829\u65E5", "2024-02-29 00:00",
                      "2024-02-29T00:00:00.000+02:00", "2024-02-29T00:00:00Z"}) {
        auto moment = parse_date(text, DateOrder::day_first);
        ASSERT_TRUE(moment) << text;
        EXPECT_EQ(moment->days, 19782) << text;
        EXPECT_EQ(moment->weekday, 3);
        EXPECT_EQ(moment->month, 2);
    }
    EXPECT_EQ(parse_date("02/29/2024", DateOrder::month_first)->days, 19782);
    EXPECT_EQ(parse_date("2024-02-29 18:00", DateOrder::day_first)->days, 19782.75);
    for (auto text :
         {"2023-02-29", "2024-13-01", "2024-02", "24-02-29", "2024-02/29", "2024-02-29x", "2024-02-29 25:00",
          "2024-02-29T10:00+2", "20240229", "29 Fbr 2024", "2024-02-29 10", "0000-01-01", "1/1/24 text"})
        EXPECT_FALSE(parse_date(text, DateOrder::day_first)) << text;
}

TEST(Scaling, UndoIsTheWayBack) {
    std::vector<double> values;
    for (int i = 0; i < 400; ++i) values.push_back(std::exp(i / 50.0));
    auto scaling = learn_quantile_scaling(values, quantile_count(values.size()));
    for (double value : {1.0, 2.0, 100.0, values.back()})
        EXPECT_NEAR(scaling.undo(scaling.apply(value)), value, 1e-6 * value);
    EXPECT_EQ(scaling.undo(scaling.apply(1e9)), values.back());
    EXPECT_EQ(scaling.undo(-100), values.front());
}

TEST(Scaling, TheNormalQuantileIsExact) {
    EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
    EXPECT_NEAR(normal_quantile(1e-7), -5.199337582192816, 1e-12);
    for (double p = 0.001; p < 1; p += 0.001) EXPECT_NEAR(normal_share(normal_quantile(p)), p, 1e-15) << p;
}

}  // namespace
}  // namespace rootstock
