#include <future>

#include "store/connect.h"
#include "store/migrate.h"
#include "store/readers.h"
#include "store/sqlite.h"
#include "store/writer.h"

namespace rootstock::store {
namespace {

class OpenDatabase final : public Database {
public:
    OpenDatabase(Connector connect, std::unique_ptr<Connection> writer, const Options& options)
        : readers_(std::move(connect), options), writer_(std::move(writer), options) {}

    void write(Work work, Done done) override { writer_.write(std::move(work), std::move(done)); }

    Result<void> probe() override {
        if (writer_.last_commit_went_well()) return {};
        return write_and_wait([](Session& session) -> Result<void> {
            session.execute("UPDATE store_probe SET at = :at", system_clock().now());
            return {};
        });
    }

protected:
    Result<void> write_and_wait(Work work) override {
        ROOTSTOCK_CHECK(!writer_.is_this_thread(), "the writer thread must not wait for itself");
        // Shared: the one who waits may go on before the writer thread has left set_value.
        auto promise = std::make_shared<std::promise<Result<void>>>();
        auto outcome = promise->get_future();
        write(std::move(work), [promise](Result<void> result) { promise->set_value(std::move(result)); });
        return outcome.get();
    }

    Result<void> read_with(const ReadWork& work) override { return readers_.run(work); }

private:
    Readers readers_;
    Writer writer_;
};

Migration probe_table() {
    return {0, "probe", "CREATE TABLE store_probe (at BIGINT NOT NULL); INSERT INTO store_probe VALUES (0);"};
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const Location& where, std::vector<Migration> migrations,
                                                 Options options) {
    if (!where.is_postgres()) ROOTSTOCK_CHECKED(make_private(where.file()));
    migrations.push_back(probe_table());
    try {
        auto connection = connect(where, Access::write, options);
        migrate(*connection, std::move(migrations));
        return std::make_unique<OpenDatabase>([=](Access access) { return connect(where, access, options); },
                                              std::move(connection), options);
    } catch (const Failure& failure) {
        return fail(failure.error());
    }
}

}  // namespace rootstock::store
