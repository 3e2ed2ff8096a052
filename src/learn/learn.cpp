#include "learn/learn.h"

#include <fcntl.h>
#include <malloc.h>
#include <omp.h>
#include <sys/file.h>
#include <torch/torch.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>

#include "learn/trainer.h"

namespace rootstock {

namespace {

std::atomic<bool> stop_asked{false};

void ask_to_stop(int) { stop_asked = true; }

void listen_for_signals() {
    struct sigaction action {};
    action.sa_handler = ask_to_stop;
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGINT, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is noticed when an event is printed
}

// Activations of a step are some tens of megabytes that come and go. Keeping them in the process saves the page faults
// of asking the system anew each step.
void keep_freed_memory() {
    ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
    ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

// One process at a time on a job folder. The lock dies with its process, however that dies.
class FolderLock {
public:
    static Result<FolderLock> take(const std::filesystem::path& folder) {
        auto path = folder / "job.json";
        int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0)
            return fail(ErrorCode::not_found, "there is no " + path.string() + ": give the path of a job folder");
        FolderLock lock(file);
        if (::flock(file, LOCK_EX | LOCK_NB) != 0)
            return fail(ErrorCode::conflict,
                        "another process works on " + folder.string() + ": wait for it or stop it");
        return lock;
    }
    FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
    ~FolderLock() {
        if (file_ >= 0) ::close(file_);
    }

private:
    explicit FolderLock(int file) : file_(file) {}
    int file_;
};

Result<void> run(const std::filesystem::path& folder) {
    auto lock = FolderLock::take(folder);
    if (!lock) return fail(lock.error());
    ROOTSTOCK_TRY(events, EventLog::open(folder));
    ROOTSTOCK_TRY(job, open_job(folder));
    // libtorch's own default counts one core on some virtual machines, so the number is always said.
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    torch::set_num_threads(job.spec.train.threads > 0 ? job.spec.train.threads : std::max(1, cores));
    ROOTSTOCK_TRY(learner, make_learner(std::move(job)));
    ROOTSTOCK_TRY(trainer, Trainer::create(std::move(learner), events, stop_asked));
    return trainer->run();
}

// The door where exceptions of libtorch, oneDNN and the library become errors.
Result<void> run_contained(const std::filesystem::path& folder) {
    try {
        return run(folder);
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::unavailable,
                    "the machine has not enough memory: lower train.batch_examples or train.max_tokens");
    } catch (const c10::Error& error) {
        return fail(ErrorCode::internal, std::string("libtorch: ") + error.what_without_backtrace());
    } catch (const std::exception& error) {
        return fail(ErrorCode::internal, error.what());
    }
}

LearnExit exit_for(const Error& error) {
    if (error.code == ErrorCode::cancelled) return LearnExit::interrupted;
    return error.code == ErrorCode::internal ? LearnExit::our_fault : LearnExit::callers_fault;
}

}  // namespace

void make_waiting_cheap(char** argv) {
    if (std::getenv("GOMP_SPINCOUNT") || std::getenv("OMP_WAIT_POLICY")) return;
    ::setenv("GOMP_SPINCOUNT", "1000", 1);  // about 20 microseconds
    std::error_code failure;
    auto program = std::filesystem::read_symlink("/proc/self/exe", failure);
    if (!failure) ::execv(program.c_str(), argv);  // comes back only if it fails, and then all is as before
}

LearnExit run_job(const std::filesystem::path& folder) {
    listen_for_signals();
    keep_freed_memory();
    auto result = run_contained(folder);
    if (result) return LearnExit::done;
    if (result.error().code != ErrorCode::cancelled) {
        std::error_code missing;
        auto events = std::filesystem::is_directory(folder, missing) ? EventLog::open(folder) : fail(result.error());
        if (events)
            events->emit("error", {{"code", name(result.error().code)}, {"message", result.error().message}});
        else
            print_error_event(result.error());
    }
    return exit_for(result.error());
}

}  // namespace rootstock
