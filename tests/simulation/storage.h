#pragma once
// The storage of a simulated server: the store's own writer and SQLite, with faults between them and a disk in memory
// that a process can die over.
//
// A death loses what the disk did not have: the files are copied as they are at that instant (within a commit, a part
// of what it wrote), and the next process opens the copy. So recovery is SQLite's own, from a real write-ahead log.

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "dice.h"
#include "store/connection.h"
#include "store/writer.h"

namespace rootstock::simulation {

// What happens to the storage during one group of works.
enum class Fault {
    none,
    statement,         // a statement fails, the transaction goes on
    lost_transaction,  // a statement fails and the database has rolled back everything (a full disk)
    commit,            // the commit is refused
    sync,              // the commit is not synced: it may be on the disk or not, and the store stays shut
    crash_statement,   // the process dies before a statement,
    crash_commit,      // before the commit,
    crash_torn,        // within it: a part of what it wrote is on the disk,
    crash_committed,   // after it and before anybody is told
};
inline constexpr int faults = 9;
const char* name(Fault fault);

// Between the ledger and its statements: where a mutant of the storage spoils them. This one does not.
class Wire {
public:
    using OnRow = std::function<void(std::span<store::Cell>)>;
    virtual ~Wire() = default;
    virtual std::int64_t run(store::Connection& inner, std::string_view sql, std::span<const store::Cell> args,
                             std::span<const store::Kind> columns, const OnRow& on_row) {
        return inner.rows(sql, args, columns, on_row);
    }
};

class FaultyConnection;

class Storage {
public:
    using Work = store::Database::Work;

    // `start` is a closed database, copied.
    Storage(const std::filesystem::path& start, Wire& wire, std::uint64_t seed);
    ~Storage();
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    struct Outcome {
        std::vector<Result<void>> told;  // by the store, a work each
        bool kept = false;               // the group's changes are on the disk
        bool struck = false;             // the fault came about
        bool died = false;               // and was a death: nobody heard what was told
    };
    // Runs the works as one group. `fault` strikes at its statement number `at` (or its commit), if it has so many.
    Outcome commit(std::vector<Work> works, Fault fault, int at);

    // A new process on what the disk has.
    void restart();

    // Reads, aside from the server under test and without faults. `work` is T(Session&).
    template <typename F>
    auto see(F work) {
        reader_->step(store::Step::begin_read);
        auto value = work(static_cast<store::Session&>(*reader_));
        reader_->step(store::Step::rollback);
        return value;
    }

private:
    friend class FaultyConnection;

    void open();
    void close();
    std::filesystem::path folder() const { return root_ / std::to_string(generation_); }
    // What the disk has of the log when the machine stops after it had `durable` bytes and was to have all of it.
    // Returns whether all of it is there.
    bool leave_to_the_next(std::uintmax_t durable, bool torn);

    Wire& wire_;
    Dice dice_;
    std::filesystem::path root_;
    int generation_ = 0, next_ = 0;  // of the folder; the next differs after a death
    Fault armed_ = Fault::none;
    int at_ = 0;
    Outcome outcome_;
    bool sync_lost_ = false;
    std::unique_ptr<store::Writer> writer_;
    std::unique_ptr<store::Connection> reader_;
};

}  // namespace rootstock::simulation
