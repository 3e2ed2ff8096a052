#include "app/wiring/serve.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>

#include "app/batches/batch_desk.h"
#include "app/pipeline/pipeline.h"
#include "app/routes/routes.h"
#include "app/wiring/reload.h"
#include "app/wiring/worker_pool.h"

namespace rootstock {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds sweep_every{5};
constexpr int forget_every = 120;  // sweeps

// One server per home: a starting server voids the holds of dead ones, and must not take a living one for dead.
class HomeLock {
public:
    static Result<std::unique_ptr<HomeLock>> take(const Home& home) {
        auto path = home.root / "serve.lock";
        int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0) return fail(ErrorCode::io, "cannot write " + path.string() + ": is the home folder writable?");
        std::unique_ptr<HomeLock> lock(new HomeLock(file));
        if (::flock(file, LOCK_EX | LOCK_NB) == 0) return lock;
        return fail(ErrorCode::conflict,
                    "another server already serves " + home.root.string() + "; stop it, or choose another --home");
    }
    ~HomeLock() { ::close(file_); }
    HomeLock(const HomeLock&) = delete;
    HomeLock& operator=(const HomeLock&) = delete;

private:
    explicit HomeLock(int file) : file_(file) {}
    int file_;
};

// Every connection is a file descriptor: take as many as we are allowed to.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Every few seconds: holds whose time is over, answers and files kept long enough, jobs that nobody will end.
class Sweeper {
public:
    Sweeper(asio::io_context& io, Services& services) : timer_(io), services_(services) { wait(); }
    void stop() { timer_.cancel(); }

private:
    void wait() {
        timer_.expires_after(sweep_every);
        timer_.async_wait([this](boost::system::error_code cancelled) {
            if (cancelled) return;
            sweep();
            wait();
        });
    }

    void sweep() {
        bool forget = ++sweeps_ % forget_every == 0;
        auto work = [forget, run = services_.run,
                     now = services_.clock.now()](store::Session& session) -> Result<void> {
            ledger::keep_run(session, run, now);
            const auto released =
                ledger::settle_abandoned(session, run, now) + ledger::void_abandoned(session, run, now);
            if (released > 0) spdlog::warn("released {} holds of a server that is gone", released);
            if (forget) ledger::forget_old_keys(session, now);
            auto expired = ledger::expire_overdue(session, now);
            if (expired > 0) spdlog::warn("{} holds expired", expired);
            end_stranded_tunings(session, now);
            ledger::advance_subscriptions(session, now);
            ledger::advance_grants(session, now);
            ledger::advance_commissions(session, now);
            return {};
        };
        services_.records->write(std::move(work), [](Result<void> swept) {
            if (!swept) spdlog::warn("sweep: {}", swept.error().message);
        });
        sweep_files();
    }

    // The records go first: a blob without one harms nobody.
    void sweep_files() {
        asio::post(services_.disk, [&services = services_] {
            auto work = [now = services.clock.now()](store::Session& session) -> Result<std::vector<store::BlobKey>> {
                std::vector<store::BlobKey> keys;
                for (const auto& file : catalog::take_expired_files(session, now))
                    keys.push_back({file.tenant.text(), file.id.text()});
                for (const auto& key : catalog::take_expired_parts(session, now))
                    keys.push_back({key.tenant.text(), key.part.text()});
                return keys;
            };
            auto gone = services.records->write_now(std::move(work));
            if (!gone) return spdlog::warn("sweep: {}", gone.error().message);
            for (const auto& key : *gone) services.blobs->remove(key);
        });
    }

    asio::steady_timer timer_;
    Services& services_;
    int sweeps_ = 0;
};

// First signal: drain. Second: leave.
class Stopper {
public:
    Stopper(asio::io_context& io, std::function<void()> drain)
        : io_(io), signals_(io, SIGTERM, SIGINT), drain_(std::move(drain)) {
        wait();
    }
    void done() { signals_.cancel(); }

private:
    void wait() {
        signals_.async_wait([this](boost::system::error_code cancelled, int) {
            if (cancelled) return;
            if (std::exchange(stopping_, true)) return io_.stop();
            spdlog::info("stopping: finishing what is in flight");
            drain_();
            wait();
        });
    }

    asio::io_context& io_;
    asio::signal_set signals_;
    std::function<void()> drain_;
    bool stopping_ = false;
};

}  // namespace

Result<void> serve(const SettingsSource& source, const std::function<void(const Listening&)>& listening) {
    double started = monotonic_seconds();
    ROOTSTOCK_TRY(settings, source());
    set_log_level(settings.log_level);
    std::shared_ptr<const http::Tls> tls;
    if (settings.tls) {
        ROOTSTOCK_TRY(loaded, load_certificate(*settings.tls));
        tls = std::move(loaded);
    }
    raise_descriptor_limit();
    auto lock = HomeLock::take(settings.home);
    if (!lock) return fail(lock.error());
    asio::io_context io(1);  // outlives the services, whose threads hand their results to it
    ROOTSTOCK_TRY(services, open_services(std::move(settings), system_clock()));
    Routes routes = make_routes();
    http::Server server(io, services->settings.http, make_handler(*services, routes), make_refusal_page(*services));
    services->connections = [&server] { return server.connections(); };
    server.plan_bodies(make_body_plan(*services, routes));
    server.use_tls(tls);
    ROOTSTOCK_CHECKED(server.listen(services->settings.listen));
    Sweeper sweeper(io, *services);
    Courier courier(*services->records, services->clock, *services->vault, services->settings.outside.courier,
                    [&cashier = *services->cashier] { cashier.look_after(); });
    BatchDesk batches(io, *services, routes);
    WorkerPool workers(io, services->settings.worker, services->settings.workers);
    int answering = 2;  // the server, and the batches inside it
    auto drained = [&] {
        if (--answering == 0) io.stop();
    };
    Reloader reloader(io, *services, server, source);
    Stopper stopper(io, [&] {
        services->draining = true;
        reloader.stop();
        workers.stop();
        batches.stop(drained);
        server.stop(drained);
    });
    batches.start();
    Listening told{server.address(), {}, monotonic_seconds() - started, tls ? tls->valid_until() : std::string()};
    for (const auto& model : services->models.all())
        told.bases.push_back({model->name, model->base.model->description()});
    listening(told);
    io.run();
    services->records->write(
        [run = services->run](store::Session& session) -> Result<void> {
            ledger::end_run(session, run);
            return {};
        },
        [](const Result<void>&) {});
    return {};
}

}  // namespace rootstock
