#include "catalog/catalog.h"

#include <gtest/gtest.h>

#include "catalog/test_records.h"

namespace rootstock::catalog {
namespace {

class CatalogTest : public TestRecords {
protected:
    Adapter make(const std::string& name, const TenantId& owner) {
        Adapter adapter;
        adapter.id = mint<AdapterTag>(clock_.now());
        adapter.owner = owner;
        adapter.name = name;
        adapter.task = "classify";
        adapter.labels = {"ham", "spam \"quoted\"", "垃圾"};
        adapter.base_digest = std::string(64, 'a');
        adapter.dataset_digest = std::string(64, 'b');
        adapter.seed = UINT64_MAX;
        adapter.settings = json::object{{"rank", 16}};
        adapter.metrics = json::object{{"accuracy", 0.925}};
        return adapter;
    }
    Adapter add(const std::string& name, const TenantId& owner) {
        return write([&](store::Session& s) { return add_adapter(s, make(name, owner), clock_.now()); }).value();
    }
    Result<Adapter> get(const TenantId& tenant, std::string_view reference) {
        return database_->read([&](store::Session& s) { return resolve(s, tenant, reference); });
    }
    Result<Promotion> go_live(const TenantId& owner, std::string_view reference) {
        return write([&](store::Session& s) { return promote(s, owner, reference, clock_.now()); });
    }
    Result<Promotion> go_back(const TenantId& owner, std::string_view name) {
        return write([&](store::Session& s) { return rollback(s, owner, name, clock_.now()); });
    }

    const TenantId house_, acme_{"ten_acme"}, beta_{"ten_beta"};
};

TEST_F(CatalogTest, AVersionKeepsItsLineage) {
    const auto added = add("intent", acme_);
    const auto found = get(acme_, "intent@1").value();
    EXPECT_EQ(found.id, added.id);
    EXPECT_EQ(found.labels, added.labels);
    EXPECT_EQ(found.seed, UINT64_MAX);
    EXPECT_EQ(found.settings, added.settings);
    EXPECT_EQ(found.metrics, added.metrics);
    EXPECT_EQ(found.state, AdapterState::candidate);
    EXPECT_EQ(found.created, clock_.now());
    EXPECT_EQ(add("intent", acme_).version, 2);
    EXPECT_EQ(add("intent", beta_).version, 1) << "versions count per owner";
    EXPECT_EQ(write([&](store::Session& s) { return add_adapter(s, added, clock_.now()); }).error().code,
              ErrorCode::already_exists);
    EXPECT_EQ(
        write([&](store::Session& s) { return add_adapter(s, make("In tent", acme_), clock_.now()); }).error().param,
        "name");
}

TEST_F(CatalogTest, OnlyTheStateOfAVersionMoves) {
    add("intent", acme_);
    for (const char* sql : {"UPDATE adapter SET metrics = '{}'", "UPDATE adapter SET version = 7",
                            "DELETE FROM adapter", "UPDATE adapter SET dataset_digest = 'x'"})
        EXPECT_FALSE(write([&](store::Session& s) -> Result<void> {
            s.execute(sql);
            return {};
        })) << sql;
}

TEST_F(CatalogTest, LiveMovesForwardAndBack) {
    add("intent", acme_);
    add("intent", acme_);
    EXPECT_EQ(get(acme_, "intent").error().reason, "model_not_found") << "no live version yet";
    EXPECT_EQ(go_live(acme_, "intent@1")->before, "");
    EXPECT_EQ(get(acme_, "intent")->version, 1);
    EXPECT_EQ(go_live(acme_, "intent")->before, "intent@1");
    EXPECT_EQ(get(acme_, "intent")->version, 2);
    EXPECT_EQ(get(acme_, "intent@1")->state, AdapterState::retired);
    EXPECT_EQ(go_live(acme_, "intent").error().reason, "already_live");
    add("intent", acme_);
    ASSERT_TRUE(go_live(acme_, "intent@3"));
    EXPECT_EQ(go_back(acme_, "intent")->live.version, 2);
    EXPECT_EQ(go_back(acme_, "intent")->live.version, 1);
    EXPECT_EQ(go_back(acme_, "intent").error().reason, "nothing_before");
    EXPECT_EQ(get(acme_, "intent")->version, 1);
    EXPECT_EQ(get(acme_, "intent")->state, AdapterState::live);
    ASSERT_TRUE(go_live(acme_, "intent@3"));
    EXPECT_EQ(go_back(acme_, "intent")->live.version, 1) << "back to what was live before, not to what is older";
    EXPECT_EQ(go_live(acme_, "intent@9").error().code, ErrorCode::not_found);
    EXPECT_EQ(go_back(acme_, "nothing").error().code, ErrorCode::not_found);
    int live = 0;
    for (const auto& adapter : see([&](store::Session& s) { return list_adapters(s, acme_); }))
        live += adapter.state == AdapterState::live;
    EXPECT_EQ(live, 1);
}

TEST_F(CatalogTest, ForeignSoundsLikeMissing) {
    add("secret", acme_);
    ASSERT_TRUE(go_live(acme_, "secret"));
    for (const std::string reference : {"secret", "secret@1"}) {
        const auto foreign = get(beta_, reference).error();
        auto missing = get(beta_, reference == "secret" ? "nosuch" : "nosuch@1").error();
        missing.message.replace(missing.message.find("nosuch"), 6, "secret");
        EXPECT_EQ(foreign.message, missing.message);
        EXPECT_EQ(foreign.code, missing.code);
        EXPECT_EQ(foreign.reason, "model_not_found");
        EXPECT_EQ(foreign.param, "model");
    }
    EXPECT_FALSE(get(house_, "secret"));
    EXPECT_EQ(go_live(beta_, "secret").error().code, ErrorCode::not_found);
    for (const char* odd : {"", "@", "@1", "secret@", "secret@0", "secret@x", "secret@1x", "secret@-1",
                            "secret@99999999999999999999", "secret@1@1"})
        EXPECT_EQ(get(acme_, odd).error().reason, "model_not_found") << odd;
}

TEST_F(CatalogTest, TheHouseServesEverybodyWhatItPromoted) {
    add("topic", house_);
    EXPECT_FALSE(get(acme_, "topic@1")) << "a candidate of the house is not for customers";
    EXPECT_TRUE(get(house_, "topic@1"));
    ASSERT_TRUE(go_live(house_, "topic"));
    EXPECT_EQ(get(acme_, "topic")->owner, house_);
    EXPECT_EQ(get(acme_, "topic@1")->owner, house_);
    add("topic", acme_);
    EXPECT_EQ(get(acme_, "topic")->owner, house_) << "its own has no live version yet";
    ASSERT_TRUE(go_live(acme_, "topic"));
    EXPECT_EQ(get(acme_, "topic")->owner, acme_) << "its own comes first";
    EXPECT_EQ(get(beta_, "topic")->owner, house_);
    const auto visible = see([&](store::Session& s) { return visible_adapters(s, acme_); });
    ASSERT_EQ(visible.size(), 1U);
    EXPECT_EQ(visible[0].owner, acme_);
    EXPECT_EQ(see([&](store::Session& s) { return visible_adapters(s, beta_); }).size(), 1U);
}

TEST_F(CatalogTest, ModelsAreFoundByNameDigestAndPrefix) {
    const std::string one = "aaaaaaaa11" + std::string(54, '0'), two = "aaaaaaaa22" + std::string(54, '0');
    const auto add_it = [&](const std::string& digest, const std::string& name) {
        clock_.advance(std::chrono::seconds(1));
        return write([&](store::Session& s) -> Result<Model> {
                   return add_model(s, {digest, name, "bert", "file:x", digest, "Apache-2.0", clock_.now()});
               })
            .value();
    };
    const auto find_it = [&](std::string_view what) {
        return database_->read([&](store::Session& s) { return find_model(s, what); });
    };
    add_it(one, "minilm");
    add_it(two, "minilm");
    EXPECT_EQ(add_it(one, "other").name, "minilm") << "the first record stays";
    EXPECT_EQ(find_it("minilm")->digest, two) << "the newest of a name";
    EXPECT_EQ(find_it(one)->digest, one);
    EXPECT_EQ(find_it("aaaaaaaa1")->digest, one);
    EXPECT_EQ(find_it("aaaaaaaa").error().code, ErrorCode::conflict);
    EXPECT_EQ(find_it("aaaa").error().code, ErrorCode::not_found);
    EXPECT_EQ(find_it("%").error().reason, "model_not_found");
    EXPECT_EQ(see([](store::Session& s) { return list_models(s); }).size(), 2U);
}

TEST_F(CatalogTest, DatasetsBelongToTheirOwner) {
    const Dataset rows{"d1", acme_, "train.csv", 10'003, 2, {"a", "b"}, clock_.now()};
    ASSERT_TRUE(write([&](store::Session& s) -> Result<void> {
        add_dataset(s, rows);
        add_dataset(s, rows);
        return {};
    }));
    const auto find_it = [&](const TenantId& owner) {
        return database_->read([&](store::Session& s) { return find_dataset(s, owner, "d1"); });
    };
    EXPECT_EQ(find_it(acme_)->labels, rows.labels);
    EXPECT_EQ(find_it(acme_)->rows, 10'003);
    EXPECT_EQ(find_it(beta_).error().reason, "dataset_not_found");
}

enum class Step { start, progress, succeed, fail_it, cancel };

TEST_F(CatalogTest, JobsTakeOnlyLegalSteps) {
    const auto apply = [&](const JobId& id, Step step) {
        return write([&](store::Session& s) -> Result<void> {
            switch (step) {
                case Step::start:
                    return start_job(s, id, clock_.now());
                case Step::progress:
                    return set_job_progress(s, id, json::object{{"step", 3}});
                case Step::succeed:
                    return succeed_job(s, id, AdapterId("ada_1"), 12.5, clock_.now());
                case Step::fail_it:
                    return fail_job(s, id, {ErrorCode::io, "the disk is full", {}, {}}, 1, clock_.now());
                case Step::cancel:
                    return cancel_job(s, id, 2, clock_.now());
            }
            return {};
        });
    };
    const std::vector<std::vector<Step>> ways{
        {}, {Step::start}, {Step::start, Step::succeed}, {Step::fail_it}, {Step::cancel}};
    const std::vector<std::vector<bool>> legal{{true, false, false, true, true},
                                               {false, true, true, true, true},
                                               {false, false, false, false, false},
                                               {false, false, false, false, false},
                                               {false, false, false, false, false}};
    for (std::size_t state = 0; state < ways.size(); ++state)
        for (int step = 0; step < 5; ++step) {
            const auto id = mint<JobTag>(clock_.now());
            ASSERT_TRUE(write([&](store::Session& s) -> Result<void> {
                add_job(s, acme_, "finetune", json::object{{"epochs", 3}}, id, clock_.now());
                return {};
            }));
            for (const Step before : ways[state]) ASSERT_TRUE(apply(id, before));
            const auto outcome = apply(id, static_cast<Step>(step));
            EXPECT_EQ(outcome.has_value(), legal[state][static_cast<std::size_t>(step)]) << state << ' ' << step;
            if (!outcome) {
                EXPECT_EQ(outcome.error().reason, "job_state");
            }
        }
    EXPECT_EQ(apply(JobId("job_none"), Step::start).error().code, ErrorCode::not_found);
}

TEST_F(CatalogTest, JobsRememberHowTheyEnded) {
    const auto id = mint<JobTag>(clock_.now());
    ASSERT_TRUE(write([&](store::Session& s) -> Result<void> {
        add_job(s, acme_, "finetune", json::object{{"epochs", 3}}, id, clock_.now());
        ROOTSTOCK_CHECKED(start_job(s, id, clock_.now()));
        ROOTSTOCK_CHECKED(set_job_progress(s, id, json::object{{"step", 3}}));
        return fail_job(s, id, {ErrorCode::io, "the disk is full", {}, {}}, 1.25, clock_.now());
    }));
    const auto job = database_->read([&](store::Session& s) { return find_job(s, id); }).value();
    EXPECT_EQ(job.state, JobState::failed);
    EXPECT_EQ(job.error.code, ErrorCode::io);
    EXPECT_EQ(job.error.message, "the disk is full");
    EXPECT_EQ(job.seconds, 1.25);
    EXPECT_EQ(job.progress.at("step").as_int64(), 3);
    EXPECT_EQ(job.finished, clock_.now());
    EXPECT_EQ(see([&](store::Session& s) { return list_jobs(s, acme_); }).size(), 1U);
    EXPECT_EQ(see([&](store::Session& s) { return list_jobs(s, beta_); }).size(), 0U);
    EXPECT_EQ(see([&](store::Session& s) { return list_jobs(s, house_, true); }).size(), 1U);
}

TEST_F(CatalogTest, PredictionsAreTheTenantsOwn) {
    std::vector<Prediction> rows;
    for (int i = 0; i < 3; ++i)
        rows.push_back({mint<PredictionTag>(clock_.now()), acme_, RequestId("req_1"), i, AdapterId("ada_1"), "spam",
                        0.75, sha256_hex("text"), clock_.now()});
    ASSERT_TRUE(write([&](store::Session& s) -> Result<void> {
        add_predictions(s, rows);
        return {};
    }));
    const auto find_it = [&](const TenantId& tenant) {
        return database_->read([&](store::Session& s) { return find_prediction(s, tenant, rows[1].id); });
    };
    EXPECT_EQ(find_it(acme_)->row, 1);
    EXPECT_EQ(find_it(acme_)->probability, 0.75);
    EXPECT_EQ(find_it(beta_).error().reason, "prediction_not_found");
    EXPECT_EQ(see([&](store::Session& s) { return predictions_of(s, acme_, RequestId("req_1")); }).size(), 3U);
    EXPECT_EQ(see([&](store::Session& s) { return predictions_of(s, beta_, RequestId("req_1")); }).size(), 0U);
}

}  // namespace
}  // namespace rootstock::catalog
