#include "flow/tune.h"

#include <algorithm>

#include "ledger/ledger.h"

namespace rootstock {
namespace {

constexpr std::size_t suffix_max = 64;

// The suffix stands between colons in the model's name.
Result<void> check_suffix(const std::string& suffix) {
    auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    };
    if (suffix.size() <= suffix_max && std::ranges::all_of(suffix, fits)) return {};
    return fail(ErrorCode::invalid_argument,
                "'suffix' becomes part of the model's name: use 1 to 64 letters, digits, dots, hyphens or underscores",
                "suffix");
}

Result<void> check_file(store::Session& session, const TenantId& tenant, const FileId& id, const char* field,
                        Timestamp now) {
    auto file = catalog::find_file(session, tenant, id, now);
    if (!file) return fail(ErrorCode::not_found, file.error().message, field, "file_not_found");
    if (file->purpose == "fine-tune") return {};
    return fail(ErrorCode::invalid_argument,
                "the file " + id.text() + " was uploaded for the purpose '" + file->purpose +
                    "'; upload it again for 'fine-tune'",
                field);
}

Result<void> check(store::Session& session, const TuningOrder& order, Timestamp now) {
    ROOTSTOCK_CHECKED(check_suffix(order.suffix));
    if (order.model.starts_with("ft:"))
        return fail(ErrorCode::unsupported,
                    "tuning goes out from a base model here, not from a tuned one: tune the base on all rows together",
                    "model");
    ROOTSTOCK_TRY(base, catalog::find_model(session, order.model));
    ROOTSTOCK_CHECKED(tenant::check_may_ask(order.caller.models, order.model, base.name));
    ROOTSTOCK_CHECKED(check_file(session, order.caller.tenant, order.training, "training_file", now));
    if (order.validation.empty()) return {};
    return check_file(session, order.caller.tenant, order.validation, "validation_file", now);
}

catalog::Tuning record_of(TuningOrder order, const JobId& job) {
    catalog::Tuning tuning;
    tuning.job = job;
    tuning.tenant = order.caller.tenant;
    tuning.tenant_name = order.caller.tenant_name;
    tuning.model = order.model;
    tuning.training = order.training;
    tuning.validation = order.validation;
    tuning.suffix = order.suffix;
    tuning.seed = order.seed.value_or(TrainSettings{}.seed);
    tuning.hyperparameters = std::move(order.hyperparameters);
    tuning.metadata = std::move(order.metadata);
    tuning.request = order.request;
    tuning.key = order.caller.key;
    return tuning;
}

// What ended by a wish or for good holds no money.
void let_go(store::Session& session, const catalog::Job& job, Timestamp now) {
    auto tuning = catalog::find_tuning(session, job.owner, job.id);
    if (!tuning) return;
    auto gone = ledger::void_reservation(session, tuning->request, 0, now);
    // A job that was never validated has reserved nothing.
    if (!gone && gone.error().code != ErrorCode::not_found)
        spdlog::warn("{}: its hold stays until it expires: {}", job.id.text(), gone.error().message);
}

void tell(store::Session& session, const catalog::Job& job, const char* level, const std::string& sentence,
          Timestamp now) {
    catalog::add_event(session, job.owner, job.id, {.level = level, .message = sentence, .created = now}, "");
}

Result<void> end_stranded(store::Session& session, const catalog::Job& job, Timestamp now) {
    const catalog::JobHold hold{job.id, job.fence};
    if (job.wish == catalog::JobWish::pause) {
        tell(session, job, "info", "The job is paused", now);
        return catalog::pause_job(session, hold, job.seconds);
    }
    let_go(session, job, now);
    if (job.wish == catalog::JobWish::cancel) {
        tell(session, job, "info", "The job was cancelled", now);
        return catalog::cancel_job(session, hold, job.seconds, now);
    }
    const std::string sentence =
        "the job broke off " + std::to_string(job.attempts) + " times without reaching its end; nothing is charged";
    tell(session, job, "error", sentence, now);
    return catalog::fail_job(session, hold, {ErrorCode::internal, sentence, {}, {}}, job.seconds, now);
}

}  // namespace

Result<catalog::TuningRow> order_tuning(store::Session& session, Timestamp now, TuningOrder order) {
    ROOTSTOCK_CHECKED(check(session, order, now));
    const auto id = mint<JobTag>(now);
    auto job = catalog::add_job(session, order.caller.tenant, "finetune", json::value(), id, now, "");
    auto tuning = record_of(std::move(order), id);
    catalog::add_tuning(session, tuning);
    tell(session, job, "info", "Created fine-tuning job: " + id.text(), now);
    return catalog::TuningRow{std::move(tuning), std::move(job)};
}

std::int64_t end_stranded_tunings(store::Session& session, Timestamp now) {
    std::int64_t ended = 0;
    for (const auto& job : catalog::stranded_jobs(session, now))
        if (end_stranded(session, job, now)) ++ended;
    return ended;
}

Result<void> cancel_tuning(store::Session& session, const TenantId& tenant, const JobId& id, Timestamp now) {
    ROOTSTOCK_CHECKED(catalog::wish_cancel(session, tenant, id, now));
    ROOTSTOCK_TRY(job, catalog::find_job(session, tenant, id));
    if (job.state != catalog::JobState::cancelled) return {};
    tell(session, job, "info", "The job was cancelled", now);
    let_go(session, job, now);
    return {};
}

}  // namespace rootstock
