// Leases, wishes, files, uploads, tuned names, batches and feedback.

#include <gtest/gtest.h>

#include "catalog/catalog.h"
#include "catalog/test_records.h"

namespace rootstock::catalog {
namespace {

const TenantId acme("ten_acme"), umbra("ten_umbra");

class LeaseTest : public TestRecords {
protected:
    JobId order() {
        auto id = mint<JobTag>(clock_.now());
        write([&](store::Session& s) -> Result<void> {
            add_job(s, acme, "finetune", nullptr, id, clock_.now(), "");
            return {};
        }).value();
        clock_.advance(std::chrono::milliseconds(2));
        return id;
    }
    std::optional<Job> lease(const std::string& worker, double seconds = 30) {
        return write([&](store::Session& s) -> Result<std::optional<Job>> {
                   return lease_job(s, "finetune", worker, clock_.now(), seconds);
               })
            .value();
    }
    template <typename Step>
    Result<void> step(Step work) {
        return write([&](store::Session& s) -> Result<void> { return work(s); });
    }
    Job get(const JobId& id) {
        return see([&](store::Session& s) { return find_job(s, id); }).value();
    }
};

TEST_F(LeaseTest, TheOldestWaitingJobIsGivenToOneWorker) {
    auto first = order(), second = order();
    auto a = lease("a"), b = lease("b");
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->id, first);
    EXPECT_EQ(b->id, second);
    EXPECT_EQ(a->state, JobState::validating_files);
    EXPECT_FALSE(lease("c"));
}

TEST_F(LeaseTest, ALeaseThatEndsIsTakenOverAndTheOldHolderChangesNothing) {
    auto id = order();
    auto a = lease("a", 10);
    const JobHold old{id, a->fence};
    ASSERT_TRUE(step([&](auto& s) { return queue_job(s, old); }));
    ASSERT_TRUE(step([&](auto& s) { return start_job(s, old, clock_.now()); }));
    clock_.advance(std::chrono::seconds(9));
    ASSERT_TRUE(write([&](store::Session& s) { return renew_lease(s, old, clock_.now(), 10); }));
    clock_.advance(std::chrono::seconds(9));
    EXPECT_FALSE(lease("b"));
    clock_.advance(std::chrono::seconds(2));
    auto b = lease("b", 10);
    ASSERT_TRUE(b);
    EXPECT_GT(b->fence, a->fence);
    EXPECT_EQ(b->state, JobState::running);
    EXPECT_EQ(b->attempts, 2);
    for (auto late : {step([&](auto& s) {
                          return set_job_progress(s, old, json::object{{"step", 1}});
                      }),
                      step([&](auto& s) { return succeed_job(s, old, AdapterId("ada_x"), 1, clock_.now()); }),
                      step([&](auto& s) { return fail_job(s, old, {}, 1, clock_.now()); }),
                      step([&](auto& s) { return release_lease(s, old, 1, true, clock_.now(), 0); })}) {
        ASSERT_FALSE(late);
        EXPECT_EQ(late.error().reason, "lease_lost");
    }
    EXPECT_EQ(write([&](store::Session& s) { return renew_lease(s, old, clock_.now(), 10); }).error().reason,
              "lease_lost");
    ASSERT_TRUE(step([&](auto& s) { return succeed_job(s, {id, b->fence}, AdapterId("ada_x"), 1, clock_.now()); }));
    EXPECT_EQ(get(id).state, JobState::succeeded);
}

TEST_F(LeaseTest, AttemptsAreBoundedAndAWornOutJobIsStranded) {
    auto id = order();
    for (int i = 0; i < leases_max; ++i) {
        ASSERT_TRUE(lease("w", 1)) << i;
        clock_.advance(std::chrono::seconds(2));
    }
    EXPECT_FALSE(lease("w", 1));
    auto stranded = see([&](store::Session& s) { return stranded_jobs(s, clock_.now()); });
    ASSERT_EQ(stranded.size(), 1u);
    EXPECT_EQ(stranded[0].id, id);
}

TEST_F(LeaseTest, AGivenBackJobWaitsAndABlamelessLeaseDoesNotCount) {
    auto id = order();
    for (int i = 0; i < leases_max + 2; ++i) {
        auto job = lease("w");
        ASSERT_TRUE(job);
        ASSERT_TRUE(step([&](auto& s) { return release_lease(s, {id, job->fence}, 3.5, true, clock_.now(), 5); }));
        EXPECT_FALSE(lease("w"));
        clock_.advance(std::chrono::seconds(6));
    }
    EXPECT_EQ(get(id).seconds, 3.5);
    EXPECT_EQ(get(id).attempts, 0);
}

TEST_F(LeaseTest, WishesComeTrueAtOnceWithoutAWorkerAndThroughTheWorkerElse) {
    auto waiting = order();
    ASSERT_TRUE(step([&](auto& s) { return wish_pause(s, acme, waiting, clock_.now()); }));
    EXPECT_EQ(get(waiting).state, JobState::paused);
    EXPECT_FALSE(lease("a"));
    ASSERT_TRUE(step([&](auto& s) { return wish_resume(s, acme, waiting); }));
    EXPECT_EQ(get(waiting).state, JobState::validating_files);

    auto a = lease("a");
    const JobHold hold{waiting, a->fence};
    ASSERT_TRUE(step([&](auto& s) { return set_job_settings(s, hold, json::object{{"name", "x"}}); }));
    ASSERT_TRUE(step([&](auto& s) { return queue_job(s, hold); }));
    ASSERT_TRUE(step([&](auto& s) { return start_job(s, hold, clock_.now()); }));
    ASSERT_TRUE(step([&](auto& s) { return wish_pause(s, acme, waiting, clock_.now()); }));
    EXPECT_EQ(get(waiting).state, JobState::running);
    auto wish = write([&](store::Session& s) { return renew_lease(s, hold, clock_.now(), 30); });
    ASSERT_TRUE(wish);
    EXPECT_EQ(*wish, JobWish::pause);
    ASSERT_TRUE(step([&](auto& s) { return pause_job(s, hold, 7); }));
    ASSERT_TRUE(step([&](auto& s) { return wish_resume(s, acme, waiting); }));
    EXPECT_EQ(get(waiting).state, JobState::queued);  // its files were read before

    ASSERT_TRUE(step([&](auto& s) { return wish_cancel(s, acme, waiting, clock_.now()); }));
    EXPECT_EQ(get(waiting).state, JobState::cancelled);
    EXPECT_EQ(step([&](auto& s) { return wish_cancel(s, acme, waiting, clock_.now()); }).error().reason, "job_state");
    EXPECT_EQ(step([&](auto& s) { return wish_resume(s, acme, waiting); }).error().reason, "job_state");
    EXPECT_EQ(step([&](auto& s) { return wish_pause(s, umbra, waiting, clock_.now()); }).error().reason,
              "job_not_found");
}

TEST_F(LeaseTest, JobsOfTheCommandLineAreNobodyElses) {
    JobId id("job_command");
    step([&](auto& s) -> Result<void> {
        add_job(s, acme, "finetune", json::object(), id, clock_.now());
        return start_job(s, id, clock_.now());
    }).value();
    clock_.advance(std::chrono::hours(1));
    EXPECT_FALSE(lease("a"));
    EXPECT_TRUE(see([&](store::Session& s) { return stranded_jobs(s, clock_.now()); }).empty());
}

// ---- files ----

class FilesTest : public LeaseTest {
protected:
    File make(const TenantId& tenant, std::int64_t bytes, const std::string& purpose = "fine-tune") {
        File file;
        file.id = mint<FileTag>(clock_.now());
        file.tenant = tenant;
        file.filename = "a.jsonl";
        file.purpose = purpose;
        file.bytes = bytes;
        file.created = clock_.now();
        clock_.advance(std::chrono::milliseconds(2));
        return file;
    }
    Result<void> add(const File& file, std::int64_t most = 1000) {
        return step([&](auto& s) { return add_file(s, file, most); });
    }
    Result<File> get_file(const TenantId& tenant, const FileId& id) {
        return see([&](store::Session& s) { return find_file(s, tenant, id, clock_.now()); });
    }
};

TEST_F(FilesTest, AQuotaHoldsForEachTenantAndForPartsToo) {
    ASSERT_TRUE(add(make(acme, 600)));
    EXPECT_EQ(add(make(acme, 401)).error().reason, "storage_quota_exceeded");
    ASSERT_TRUE(add(make(umbra, 1000)));
    Upload upload;
    upload.id = UploadId("upload_1");
    upload.tenant = acme;
    upload.bytes = 500;
    upload.created = clock_.now();
    upload.expires = Timestamp{clock_.now().micros + 1'000'000};
    step([&](auto& s) -> Result<void> {
        add_upload(s, upload);
        return {};
    }).value();
    auto part = [&](const char* id, std::int64_t bytes) {
        return step([&](auto& s) {
            return add_part(s, upload, {PartId(id), upload.id, bytes, clock_.now()}, 1000, clock_.now());
        });
    };
    EXPECT_EQ(part("part_1", 501).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(part("part_1", 450).error().reason, "storage_quota_exceeded");
    ASSERT_TRUE(part("part_1", 400));
    EXPECT_EQ(add(make(acme, 1)).error().reason, "storage_quota_exceeded");
    clock_.advance(std::chrono::seconds(2));
    EXPECT_EQ(part("part_2", 1).error().reason, "upload_state");
    auto gone = write([&](store::Session& s) -> Result<std::vector<PartKey>> {
                    return take_expired_parts(s, clock_.now());
                }).value();
    ASSERT_EQ(gone.size(), 1u);
    EXPECT_EQ(gone[0].part, PartId("part_1"));
    ASSERT_TRUE(add(make(acme, 400)));
}

TEST_F(FilesTest, ForeignAndExpiredFilesAreMissing) {
    auto file = make(acme, 1);
    file.expires = Timestamp{clock_.now().micros + 5'000'000};
    ASSERT_TRUE(add(file));
    EXPECT_TRUE(get_file(acme, file.id));
    EXPECT_EQ(get_file(umbra, file.id).error().reason, "file_not_found");
    EXPECT_EQ(step([&](auto& s) { return remove_file(s, umbra, file.id); }).error().reason, "file_not_found");
    clock_.advance(std::chrono::seconds(6));
    EXPECT_FALSE(get_file(acme, file.id));
    auto taken = write([&](store::Session& s) -> Result<std::vector<File>> {
                     return take_expired_files(s, clock_.now());
                 }).value();
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].id, file.id);
}

TEST_F(FilesTest, PagesFollowOneAnother) {
    std::vector<FileId> ids;
    for (int i = 0; i < 5; ++i) {
        auto file = make(acme, 1, i == 2 ? "batch" : "fine-tune");
        ids.push_back(file.id);
        ASSERT_TRUE(add(file));
    }
    auto page = [&](const PageQuery& query, const char* purpose) {
        return see([&](store::Session& s) { return list_files(s, acme, purpose, query, clock_.now()); });
    };
    auto first = page({2, "", false}, "");
    ASSERT_EQ(first.items.size(), 2u);
    EXPECT_TRUE(first.has_more);
    EXPECT_EQ(first.items[0].id, ids[4]);
    auto second = page({10, first.items[1].id.text(), false}, "");
    ASSERT_EQ(second.items.size(), 3u);
    EXPECT_FALSE(second.has_more);
    EXPECT_EQ(second.items[2].id, ids[0]);
    EXPECT_EQ(page({2, "", true}, "").items[0].id, ids[0]);
    EXPECT_EQ(page({10, "", false}, "batch").items.size(), 1u);
}

// ---- tunings ----

TEST_F(LeaseTest, EventsAreToldOnceEach) {
    auto id = order();
    for (const char* mark : {"step 10", "step 20", "step 10", "", ""})
        step([&](auto& s) -> Result<void> {
            add_event(s, acme, id, {.message = mark, .created = clock_.now()}, mark);
            return {};
        }).value();
    auto events = see([&](store::Session& s) { return list_events(s, acme, id, {10, "", true}); });
    EXPECT_EQ(events.items.size(), 4u);
    EXPECT_TRUE(see([&](store::Session& s) { return list_events(s, umbra, id, {10, "", true}); }).items.empty());
}

// ---- feedback ----

TEST_F(LeaseTest, FeedbackIsAppendedToOnesOwnPredictions) {
    Prediction prediction;
    prediction.id = PredictionId("pred_1");
    prediction.tenant = acme;
    prediction.label = "spam";
    prediction.created = clock_.now();
    step([&](auto& s) -> Result<void> {
        add_predictions(s, {&prediction, 1});
        return {};
    }).value();
    auto say = [&](const TenantId& tenant, const char* id, std::optional<bool> good, const char* correction) {
        return step([&](auto& s) {
            return add_feedback(s, {FeedbackId(id), tenant, prediction.id, good, correction, "", clock_.now()});
        });
    };
    ASSERT_TRUE(say(acme, "fb_1", true, ""));
    ASSERT_TRUE(say(acme, "fb_2", std::nullopt, "ham"));
    EXPECT_EQ(say(umbra, "fb_3", true, "").error().reason, "prediction_not_found");
    auto all = see([&](store::Session& s) { return feedback_of(s, acme, prediction.id); });
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].good, true);
    EXPECT_EQ(all[1].correction, "ham");
    EXPECT_FALSE(step([](auto& s) -> Result<void> {
        s.execute("UPDATE feedback SET correction = 'spam'");
        return {};
    }));
    EXPECT_FALSE(step([](auto& s) -> Result<void> {
        s.execute("DELETE FROM feedback");
        return {};
    }));
}

// ---- batches ----

TEST_F(LeaseTest, ABatchToBeCancelledDoesNotGoBackAndOneThatIsOverStays) {
    Batch batch;
    batch.id = BatchId("batch_1");
    batch.tenant = acme;
    batch.endpoint = "/v1/classify";
    batch.created = clock_.now();
    batch.expires = clock_.now();
    step([&](auto& s) -> Result<void> {
        add_batch(s, batch);
        return {};
    }).value();
    auto save = [&] { return write([&](store::Session& s) { return save_batch(s, batch); }); };
    auto cancel = [&](const TenantId& tenant) {
        return write([&](store::Session& s) { return cancel_batch(s, tenant, batch.id, clock_.now()); });
    };
    batch.state = BatchState::in_progress;
    ASSERT_TRUE(save());
    EXPECT_EQ(cancel(umbra).error().reason, "batch_not_found");
    EXPECT_EQ(cancel(acme)->state, BatchState::cancelling);
    batch.completed = 3;
    EXPECT_EQ(save()->state, BatchState::cancelling);
    batch.state = BatchState::cancelled;
    ASSERT_TRUE(save());
    EXPECT_EQ(save().error().reason, "batch_state");
    EXPECT_EQ(cancel(acme).error().reason, "batch_state");
    EXPECT_TRUE(see([](store::Session& s) { return open_batches(s); }).empty());
}

}  // namespace
}  // namespace rootstock::catalog
