#include "storage.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>
#include <latch>

#include "store/connect.h"

namespace rootstock::simulation {
namespace fs = std::filesystem;
namespace {

const store::Options& options() {
    // The log is never moved into the main file while a process lives, so that it only grows.
    static const store::Options kept{.checkpoint_pages = 1'000'000};
    return kept;
}

fs::path new_folder() {
    static std::atomic<int> count = 0;
    const fs::path memory = "/dev/shm";
    const fs::path base =
        fs::is_directory(memory) && ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
    return base / ("rootstock-simulation-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
}

std::uintmax_t size_of(const fs::path& file) {
    std::error_code none;
    const auto size = fs::file_size(file, none);
    return none ? 0 : size;
}

store::Failure failure(const char* sentence) {
    return store::Failure({ErrorCode::unavailable, sentence, {}, "simulated"});
}

}  // namespace

const char* name(Fault fault) {
    constexpr std::array<const char*, faults> names{"none",
                                                    "a statement fails",
                                                    "a statement fails, all is rolled back",
                                                    "the commit fails",
                                                    "the sync fails",
                                                    "death before a statement",
                                                    "death before the commit",
                                                    "death within the commit",
                                                    "death after the commit"};
    return names[static_cast<std::size_t>(fault)];
}

// Strikes when its time comes, and is dead from then on if that was a death.
class FaultyConnection final : public store::Connection {
public:
    FaultyConnection(std::unique_ptr<store::Connection> inner, Storage& storage)
        : inner_(std::move(inner)), storage_(storage), log_(storage.folder() / "records.db-wal") {}

    void script(const std::string& sql) override { inner_->script(sql); }
    void confine(std::string_view tenant) override { inner_->confine(tenant); }
    bool is_postgres() const override { return inner_->is_postgres(); }
    bool in_transaction() const override { return inner_->in_transaction(); }
    void abandon_transaction() noexcept override { inner_->abandon_transaction(); }
    bool lost_a_sync() const override { return storage_.sync_lost_; }

    void step(store::Step step) override {
        expect_life();
        if (step == store::Step::begin_write) durable_ = size_of(log_);
        if (step == store::Step::commit) return commit();
        inner_->step(step);
    }

protected:
    std::int64_t run(std::string_view sql, std::span<const store::Cell> args, std::span<const store::Kind> columns,
                     const OnRow& on_row) override {
        expect_life();
        if (storage_.armed_ != Fault::none && storage_.at_-- == 0) strike_a_statement();
        return storage_.wire_.run(*inner_, sql, args, columns, on_row);
    }

    store::Failure failure_of(const soci::soci_error&) override {
        return failure("the inner connection tells its own");
    }

private:
    void expect_life() const {
        if (storage_.outcome_.died) throw failure("the process is dead");
    }
    // Is this the fault that is to come? It comes once.
    bool strikes(Fault fault) {
        if (storage_.armed_ != fault) return false;
        storage_.armed_ = Fault::none;
        return storage_.outcome_.struck = true;
    }
    [[noreturn]] void die(bool torn) {
        storage_.outcome_.kept = storage_.leave_to_the_next(durable_, torn);
        storage_.outcome_.died = true;
        throw failure("the process died");
    }

    void strike_a_statement() {
        if (strikes(Fault::statement)) throw failure("a statement failed");
        if (strikes(Fault::lost_transaction)) {
            inner_->abandon_transaction();
            throw failure("the disk is full");
        }
        if (strikes(Fault::crash_statement)) die(false);
    }

    void commit() {
        if (strikes(Fault::commit)) throw failure("the commit was refused");
        if (strikes(Fault::crash_commit)) die(false);
        if (strikes(Fault::sync)) {
            storage_.sync_lost_ = true;
            storage_.outcome_.kept = storage_.dice_.percent(50);
            if (storage_.outcome_.kept) inner_->step(store::Step::commit);
            throw failure("the sync failed");
        }
        inner_->step(store::Step::commit);
        if (strikes(Fault::crash_torn)) die(true);
        if (strikes(Fault::crash_committed)) {
            durable_ = size_of(log_);
            storage_.leave_to_the_next(durable_, false);
            storage_.outcome_.kept = storage_.outcome_.died = true;
            throw failure("the process died");
        }
        storage_.outcome_.kept = true;
    }

    std::unique_ptr<store::Connection> inner_;
    Storage& storage_;
    const fs::path log_;
    std::uintmax_t durable_ = 0;  // bytes of the log that were synced when the group began
};

Storage::Storage(const fs::path& start, Wire& wire, std::uint64_t seed)
    : wire_(wire), dice_(seed), root_(new_folder()) {
    fs::create_directories(folder());
    fs::copy_file(start, folder() / "records.db");
    open();
}

Storage::~Storage() {
    close();
    fs::remove_all(root_);
}

void Storage::open() {
    const auto file = folder() / "records.db";
    auto inner = store::connect(file, store::Access::write, options());
    writer_ = std::make_unique<store::Writer>(std::make_unique<FaultyConnection>(std::move(inner), *this), options());
    reader_ = store::connect(file, store::Access::read, options());
}

void Storage::close() {
    reader_.reset();
    writer_.reset();
}

void Storage::restart() {
    close();
    if (next_ != generation_) {
        fs::remove_all(folder());
        generation_ = next_;
    }
    sync_lost_ = false;
    outcome_ = {};
    open();
}

Storage::Outcome Storage::commit(std::vector<Work> works, Fault fault, int at) {
    const auto count = works.size();
    std::vector<Result<void>> told(count);
    std::latch begun(1), queued(1), done(static_cast<std::ptrdiff_t>(count) + 1);
    outcome_ = {};
    // A group of its own holds the writer back until all works wait, so that they are the next one; it changes nothing.
    auto gate = [&](store::Session&) -> Result<void> {
        begun.count_down();
        queued.wait();
        armed_ = fault;
        at_ = at;
        return fail(ErrorCode::cancelled, "nothing is changed here");
    };
    writer_->write(std::move(gate), [&](const Result<void>&) { done.count_down(); });
    if (!sync_lost_) begun.wait();  // a store that is shut runs nothing
    for (std::size_t i = 0; i < count; ++i)
        writer_->write(std::move(works[i]), [&, i](Result<void> outcome) {
            told[i] = std::move(outcome);
            done.count_down();
        });
    queued.count_down();
    done.wait();
    armed_ = Fault::none;
    outcome_.told = std::move(told);
    return outcome_;
}

bool Storage::leave_to_the_next(std::uintmax_t durable, bool torn) {
    const auto from = folder();
    next_ = generation_ + 1;
    const auto to = root_ / std::to_string(next_);
    fs::create_directories(to);
    fs::copy_file(from / "records.db", to / "records.db");
    const auto log = from / "records.db-wal", copy = to / "records.db-wal";
    const auto written = size_of(log);
    if (written == 0) return false;
    fs::copy_file(log, copy);
    if (!torn) {
        fs::resize_file(copy, durable);
        return false;
    }
    const auto more = static_cast<std::int64_t>(written - durable);
    const auto there = durable + static_cast<std::uintmax_t>(dice_.percent(25) ? more : dice_.from(0, more));
    if (there == written) return true;
    if (dice_.percent(50)) {
        fs::resize_file(copy, there);
        return false;
    }
    std::fstream rest(copy, std::ios::in | std::ios::out | std::ios::binary);
    rest.seekp(static_cast<std::streamoff>(there));
    for (auto byte = there; byte < written; ++byte) rest.put(static_cast<char>(dice_.roll()));
    return false;
}

}  // namespace rootstock::simulation
