#include "store/dialect.h"

#include <gtest/gtest.h>

namespace rootstock::store {
namespace {

TEST(Dialect, TypesAreSpeltInFullAndTextsAreLeftAlone) {
    EXPECT_EQ(postgres_script("CREATE TABLE t (a INTEGER, b TEXT DEFAULT 'TEXT', c BLOB); -- INTEGER\n"),
              "CREATE TABLE t (a BIGINT, b TEXT COLLATE \"C\" DEFAULT 'TEXT', c BYTEA); -- INTEGER\n");
    EXPECT_EQ(postgres_script("SELECT CAST(a AS TEXT) FROM t"), "SELECT CAST(a AS TEXT) FROM t");
}

TEST(Dialect, ValuesAreToldTheirTypes) {
    const std::vector<Cell> args{to_cell(1), to_cell("x"), to_cell(0.5)};
    EXPECT_EQ(postgres_statement("SELECT a::text FROM t WHERE a = :a AND b = ':no' AND c = :c AND d = :d", args),
              "SELECT a::text FROM t WHERE a = CAST(:a AS BIGINT) AND b = ':no' AND c = CAST(:c AS TEXT) AND d = "
              "CAST(:d AS DOUBLE PRECISION)");
}

TEST(Dialect, AGuardBecomesAFunctionAndATrigger) {
    const std::string sql = postgres_script(forbid("t", "UPDATE", "never", "OLD.a IS NOT NEW.a"));
    EXPECT_NE(sql.find("FOR EACH ROW WHEN (OLD.a IS DISTINCT FROM NEW.a) EXECUTE FUNCTION t_no_update()"),
              std::string::npos)
        << sql;
    EXPECT_EQ(sql.find("TRUNCATE"), std::string::npos);
    EXPECT_NE(postgres_script(append_only("t")).find("BEFORE TRUNCATE ON t"), std::string::npos);
    // A condition that looks into other rows cannot stand in WHEN.
    const std::string looks = postgres_script(
        "CREATE TRIGGER t_no_insert BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 'closed') WHERE EXISTS (SELECT 1 FROM "
        "u WHERE u.id = NEW.u); END;");
    EXPECT_NE(looks.find("IF EXISTS (SELECT 1 FROM u WHERE u.id = NEW.u) THEN RAISE EXCEPTION"), std::string::npos)
        << looks;
}

TEST(Dialect, GuardsThatStandAreThoseNotDroppedSince) {
    const auto standing =
        triggers_of({{2, "later", "DROP TRIGGER t_no_update;" + forbid("t", "UPDATE", "b", "OLD.a = 1")},
                     {1, "first", "CREATE TABLE t (a TEXT);" + append_only("t")}});
    ASSERT_EQ(standing.size(), 2U);
    EXPECT_EQ(standing[0].name, "t_no_delete");
    EXPECT_EQ(standing[1].condition, "OLD.a = 1");
    EXPECT_EQ(standing[1].message, "'b'");
}

}  // namespace
}  // namespace rootstock::store
