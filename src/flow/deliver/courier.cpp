#include "flow/deliver/courier.h"

#include <boost/asio/post.hpp>

namespace rootstock {
namespace {

constexpr std::chrono::seconds look_every{1}, letter_lease{120};
constexpr int errand_every = 15;                    // looks
constexpr std::size_t answer_bytes_max = 64 << 10;  // what a receiver says is not read further

void warn(const char* what, const Result<void>& done) {
    if (!done) spdlog::warn("{}: {}", what, done.error().message);
}

}  // namespace

Courier::Courier(store::Database& records, Clock& clock, const outbox::Vault& vault, CourierSettings settings,
                 std::function<void()> errand)
    : records_(records),
      clock_(clock),
      vault_(vault),
      settings_(std::move(settings)),
      errand_(std::move(errand)),
      pool_(settings_.at_once + 2),
      thread_([this] { loop(); }) {}

Courier::~Courier() { stop(); }

void Courier::stop() {
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(stopping_, true)) return;
    }
    wake_.notify_all();
    thread_.join();
    pool_.join();
}

void Courier::loop() {
    for (int looks = 0;; ++looks) {
        {
            std::unique_lock lock(mutex_);
            if (wake_.wait_for(lock, looks == 0 ? std::chrono::seconds(0) : look_every, [this] { return stopping_; }))
                return;
        }
        send_webhooks();
        run_alone(at_letters_, [this] { send_letters(); });
        if (looks % errand_every == 0 && errand_) run_alone(on_errand_, errand_);
    }
}

// Unless it is running: neither a slow mail server nor a slow provider holds up the webhooks.
void Courier::run_alone(bool& running, std::function<void()> work) {
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(running, true)) return;
    }
    boost::asio::post(pool_, [this, &running, work = std::move(work)] {
        work();
        std::lock_guard done(mutex_);
        running = false;
    });
}

void Courier::run(std::function<void()> work) {
    boost::asio::post(pool_, [this, work = std::move(work)] {
        work();
        std::lock_guard lock(mutex_);
        --under_way_;
    });
}

void Courier::send_webhooks() {
    std::size_t free = 0;
    {
        std::lock_guard lock(mutex_);
        free = settings_.at_once - under_way_;
    }
    if (free == 0) return;
    // Nothing is written, and nothing synced, while nothing is due.
    auto waiting = records_.read(
        [now = clock_.now()](store::Session& session) -> Result<bool> { return outbox::webhooks_due(session, now); });
    if (!waiting || !*waiting) return;
    const auto lease = std::chrono::duration_cast<std::chrono::seconds>(settings_.webhook_patience) * 2;
    auto due = records_.write_now([&](store::Session& session) -> Result<std::vector<outbox::Parcel>> {
        return outbox::take_due(session, static_cast<std::int64_t>(free), lease, clock_.now());
    });
    if (!due) return spdlog::warn("webhooks: {}", due.error().message);
    for (auto& parcel : *due) {
        {
            std::lock_guard lock(mutex_);
            ++under_way_;
        }
        run([this, parcel = std::move(parcel)] { send(parcel); });
    }
}

void Courier::send(const outbox::Parcel& parcel) {
    const auto now = clock_.now();
    http::WebRequest request{parcel.endpoint.url, "", {}};
    request.headers = {
        "Content-Type: application/json", "webhook-id: " + parcel.delivery.event,
        "webhook-timestamp: " + std::to_string(now.micros / 1'000'000),
        "webhook-signature: " + signature_of(vault_, parcel.endpoint, parcel.delivery.event, now, parcel.body)};
    request.post = parcel.body;
    http::Web web({.total_max = settings_.webhook_patience, .addresses = settings_.webhooks});
    auto answer = web.send(request, answer_bytes_max);
    const int status = answer ? answer->status : 0;
    const auto error = answer ? std::string() : answer.error().message;
    warn("webhooks", records_.write_now([&](store::Session& session) -> Result<void> {
        outbox::record_attempt(session, parcel.delivery, status, error, clock_.now());
        return {};
    }));
}

// One after the other: a mail server takes few connections from one sender anyway.
void Courier::send_letters() {
    if (settings_.smtp.url.empty()) return;
    auto waiting = records_.read(
        [now = clock_.now()](store::Session& session) -> Result<bool> { return outbox::letters_due(session, now); });
    if (!waiting || !*waiting) return;
    auto due = records_.write_now([&](store::Session& session) -> Result<std::vector<outbox::DueLetter>> {
        return outbox::take_due_letters(session, 1, letter_lease, clock_.now());
    });
    if (!due) return spdlog::warn("letters: {}", due.error().message);
    for (const auto& letter : *due) {
        auto opened = outbox::open_letter(vault_, letter);
        const auto end = opened ? send_letter(settings_.smtp, *opened, letter.id, clock_.now())
                                : SmtpEnd{outbox::LetterFate::refused, opened.error().message};
        warn("letters", records_.write_now([&](store::Session& session) -> Result<void> {
            outbox::record_letter(session, letter, end.fate, end.error, clock_.now());
            return {};
        }));
    }
}

}  // namespace rootstock
