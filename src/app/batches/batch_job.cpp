#include "app/batches/batch_job.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "app/pipeline/pipeline.h"
#include "app/routes/files.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

constexpr double again_seconds_min = 0.2, again_seconds_max = 10;  // when there is no room for a line just now
constexpr double slot_seconds = 0.005;                             // between two looks for a free place

}  // namespace

BatchJob::BatchJob(Services& services, const Routes& routes, catalog::Batch batch, BatchJobSettings settings)
    : services_(services),
      routes_(routes),
      batch_(std::move(batch)),
      settings_(settings),
      folder_(catalog::batches_folder(services.settings.home) / batch_.id.text()) {}

fs::path BatchJob::input() const { return services_.blobs->path({batch_.tenant.text(), batch_.input.text()}); }

Task<void> BatchJob::run() {
    auto done = co_await steps();
    if (!done) spdlog::warn("{} is left for a later try: {}", batch_.id.text(), done.error().message);
}

Task<Result<void>> BatchJob::steps() {
    if (batch_.state == catalog::BatchState::validating) {
        auto valid = co_await validate();
        if (!valid) co_return fail(valid.error());
        if (!*valid) co_return Result<void>{};
    }
    if (auto fine = co_await take_up(); !fine) co_return fine;
    auto end = co_await answer_lines();
    while (under_way_ > 0) co_await pause(slot_seconds);
    if (!end) co_return fail(end.error());
    if (*end == End::stopped) co_return co_await save();
    co_return co_await finish(*end);
}

// False: the file is no batch, or was deleted; the batch has failed.
Task<Result<bool>> BatchJob::validate() {
    auto survey = co_await run_on(services_.disk, [this] { return survey_batch(input(), batch_.endpoint); });
    auto now = services_.clock.now();
    if (!survey) survey = BatchSurvey{0, {}, {{"missing_file", "the input file was deleted", "input_file_id", 0}}};
    if (!survey->problems.empty()) {
        batch_.state = catalog::BatchState::failed;
        batch_.failed_at = now;
        batch_.problems = to_json(survey->problems);
    } else {
        batch_.state = catalog::BatchState::in_progress;
        batch_.in_progress_at = now;
        batch_.total = survey->lines;
        batch_.model = survey->model;
    }
    if (auto saved = co_await save(); !saved) co_return fail(saved.error());
    co_return batch_.state != catalog::BatchState::failed;
}

Task<Result<void>> BatchJob::take_up() {
    std::error_code code;
    fs::create_directories(folder_, code);
    auto read = [this]() -> Result<void> {
        ROOTSTOCK_TRY(good, read_remains(output_file()));
        ROOTSTOCK_TRY(bad, read_remains(errors_file()));
        batch_.completed = static_cast<std::int64_t>(good.answered.size());
        batch_.failed = static_cast<std::int64_t>(bad.answered.size());
        batch_.input_tokens = good.input_tokens;
        batch_.output_tokens = good.output_tokens;
        answered_ = std::move(good.answered);
        answered_.merge(bad.answered);
        return {};
    };
    if (auto fine = co_await run_on(services_.disk, read); !fine) co_return fine;
    output_.open(output_file(), std::ios::binary | std::ios::app);
    errors_.open(errors_file(), std::ios::binary | std::ios::app);
    if (!output_ || !errors_) co_return fail(ErrorCode::io, "cannot write in " + folder_.string());
    auto caller = services_.records->read([this](store::Session& session) -> Result<tenant::Caller> {
        ROOTSTOCK_TRY(tenant, tenant::find(session, batch_.tenant.text()));
        ROOTSTOCK_TRY(key, tenant::key_of(session, tenant.id, batch_.key.text()));
        tenant::Caller caller{tenant.id, tenant.name, key.id};
        caller.scopes = key.scopes;  // a line may ask what its key may
        caller.models = key.models;
        return caller;
    });
    if (!caller) co_return fail(caller.error());
    caller_ = std::move(*caller);
    co_return Result<void>{};
}

Task<Result<BatchJob::End>> BatchJob::answer_lines() {
    auto lines = BatchLines::open(input(), batch_.endpoint);
    if (!lines) co_return fail(lines.error());
    auto executor = co_await boost::asio::this_coro::executor;
    double looked = -1e9;
    for (bool more = true; more || under_way_ > 0;) {
        if (*settings_.stopping) co_return End::stopped;
        if (monotonic_seconds() - looked >= settings_.save_seconds) {
            looked = monotonic_seconds();
            auto ended = co_await look();
            if (!ended) co_return fail(ended.error());
            if (*ended) co_return **ended;
        }
        if (!more || under_way_ >= settings_.lines_at_once) {
            co_await pause(slot_seconds);
            continue;
        }
        auto line = lines->next();
        more = line.has_value();
        if (!more) continue;
        if (!*line) co_return fail(ErrorCode::corrupt, "line " + std::to_string(line->error().line) + " changed");
        if (answered_.contains((*line)->custom_id)) continue;
        ++under_way_;
        boost::asio::co_spawn(executor, answer_line(std::move(**line)), [this](std::exception_ptr fault) {
            --under_way_;
            if (fault) spdlog::error("{}: a line ended by a fault and is asked again", batch_.id.text());
        });
    }
    if (batch_.completed + batch_.failed < batch_.total)
        co_return fail(ErrorCode::unavailable, "some lines are not answered yet");
    co_return End::done;
}

Task<Result<std::optional<BatchJob::End>>> BatchJob::look() {
    if (auto saved = co_await save(); !saved) co_return fail(saved.error());
    if (batch_.state == catalog::BatchState::cancelling) co_return std::optional(End::cancelled);
    if (batch_.expires <= services_.clock.now()) co_return std::optional(End::expired);
    co_return std::optional<End>();
}

// Until it is answered; a line that finds no room waits and asks again.
Task<void> BatchJob::answer_line(BatchLine line) {
    for (double wait = again_seconds_min;; wait = std::min(2 * wait, again_seconds_max)) {
        RequestId request;
        auto response = co_await ask(line, request);
        bool no_room = response.status == 503 || response.status == 409 ||
                       (response.status == 429 && response.body.find("insufficient_quota") == std::string::npos);
        if (!no_room) co_return keep(line, response.status, request.text(), response);
        if (*settings_.stopping || batch_.state == catalog::BatchState::cancelling ||
            batch_.expires <= services_.clock.now())
            co_return;
        co_await pause(wait);
    }
}

Task<http::Response> BatchJob::ask(const BatchLine& line, RequestId& request_id) {
    http::Request request;
    request.method = "POST";
    request.path = batch_.endpoint;
    request.body = json::serialize(line.body);
    request.headers = {{"Content-Type", "application/json"},
                       {"Idempotency-Key", batch_.id.text() + "/" + sha256_hex(line.custom_id)}};
    request.received = monotonic_seconds();
    for (std::string_view rest = std::string_view(batch_.endpoint).substr(1); !rest.empty();) {
        auto end = std::min(rest.find('/'), rest.size());
        request.segments.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    Exchange exchange{request, services_, routes_};
    exchange.id = request_id = mint<RequestTag>(services_.clock.now());
    exchange.caller = caller_;
    exchange.batch = true;
    co_return co_await answer_inside(exchange);
}

void BatchJob::keep(const BatchLine& line, int status, const std::string& request, const http::Response& response) {
    auto body = parse_json(response.body, "an answer");
    auto text = rootstock::answer_line(line.custom_id, status, request, body ? *body : json::value(response.body),
                                       services_.clock.now());
    auto& file = status == 200 ? output_ : errors_;
    file << text << std::flush;
    answered_.insert(line.custom_id);
    ++(status == 200 ? batch_.completed : batch_.failed);
    if (status != 200 || !body) return;
    auto [in, out] = tokens_told(*body);
    batch_.input_tokens += in;
    batch_.output_tokens += out;
}

// What was not answered in time is told, line by line.
Result<void> BatchJob::expire_rest() {
    ROOTSTOCK_TRY(lines, BatchLines::open(input(), batch_.endpoint));
    while (auto line = lines.next()) {
        if (!*line || answered_.contains((*line)->custom_id)) continue;
        errors_ << error_line((*line)->custom_id, "batch_expired",
                              "this request was not answered before the completion window ended",
                              services_.clock.now());
        ++batch_.failed;
    }
    errors_.flush();
    return {};
}

Task<Result<void>> BatchJob::finish(End end) {
    auto now = services_.clock.now();
    if (end == End::expired)
        if (auto told = co_await run_on(services_.disk, [this] { return expire_rest(); }); !told) co_return told;
    if (end == End::done) {
        batch_.state = catalog::BatchState::finalizing;
        batch_.finalizing_at = now;
        if (auto saved = co_await save(); !saved) co_return saved;
    }
    output_.close();
    errors_.close();
    auto output = co_await publish(output_file(), "output");
    if (!output) co_return fail(output.error());
    auto errors = co_await publish(errors_file(), "error");
    if (!errors) co_return fail(errors.error());
    now = services_.clock.now();
    batch_.output = *output;
    batch_.errors_file = *errors;
    switch (end) {
        case End::cancelled:
            batch_.state = catalog::BatchState::cancelled;
            batch_.cancelled_at = now;
            break;
        case End::expired:
            batch_.state = catalog::BatchState::expired;
            batch_.expired_at = now;
            break;
        default:
            batch_.state = catalog::BatchState::completed;
            batch_.completed_at = now;
    }
    auto saved = co_await save();
    std::error_code code;
    if (saved) fs::remove_all(folder_, code);
    co_return saved;
}

// The lines as a file of the customer's; no file when there are none.
Task<Result<FileId>> BatchJob::publish(const fs::path& from, const char* what) {
    auto file = new_file(services_, batch_.tenant, batch_.id.text() + "_" + what + ".jsonl", "batch_output",
                         batch_.output_seconds);
    auto copy = [&]() -> Result<void> {
        ROOTSTOCK_TRY(bytes, http::BodyFile::open(from));
        ROOTSTOCK_TRY(blob, services_.blobs->begin());
        std::string piece(std::size_t{1} << 18, '\0');
        for (std::uint64_t at = 0; at < bytes.size();) {
            ROOTSTOCK_TRY(got, bytes.read_at(at, piece));
            if (got == 0) return fail(ErrorCode::io, "the answers of a batch cannot be read back");
            at += got;
            ROOTSTOCK_CHECKED(blob.append(std::string_view(piece).substr(0, got)));
        }
        if (bytes.size() == 0) return {};
        ROOTSTOCK_TRY(facts, services_.blobs->keep(std::move(blob), blob_key(file)));
        file.bytes = static_cast<std::int64_t>(facts.bytes);
        file.sha256 = facts.sha256;
        return {};
    };
    if (auto copied = co_await run_on(services_.disk, copy); !copied) co_return fail(copied.error());
    if (file.bytes == 0) co_return FileId();
    // The customer's quota is no reason to lose what he paid for.
    auto added =
        co_await services_.write([&](store::Session& session) { return catalog::add_file(session, file, INT64_MAX); });
    if (!added) co_return fail(added.error());
    co_return file.id;
}

Task<Result<void>> BatchJob::save() {
    auto work = [batch = batch_](store::Session& session) { return catalog::save_batch(session, batch); };
    auto saved = co_await services_.write(std::move(work));

    if (!saved) co_return fail(saved.error());
    batch_.state = saved->state;
    batch_.cancelling_at = saved->cancelling_at;
    co_return Result<void>{};
}

Task<void> BatchJob::pause(double seconds) {
    auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer(executor, std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6)));
    co_await timer.async_wait(boost::asio::use_awaitable);
}

}  // namespace rootstock
