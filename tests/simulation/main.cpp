// The billing core simulated: the ledger's own code under a storage that fails, a process that dies, a clock that jumps
// and customers that repeat themselves, beside a plain model of what must come of it.
//
//   simulation [--seeds N] [--first S] [--steps N] [--jobs N]   N runs from seed S on
//   simulation --seed S --trace                                 one run, told step by step
//   simulation --mutants [--seeds N] [--first S]                each planted fault must be caught by one of N runs
//
// A run that finds something ends the program with 1, its seed and the step.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "customers.h"
#include "mutants.h"
#include "world.h"

namespace rootstock::simulation {
namespace {

struct Wishes {
    std::uint64_t first = 1, seeds = 100;
    int steps = 160, jobs = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    bool trace = false, mutants = false;
};

constexpr std::size_t jobs_max = 64;
std::array<std::atomic<std::uint64_t>, jobs_max> under_way;

// An assertion of the ledger ends the program: which seeds were running?
void tell_seeds(int) {
    for (const auto& seed : under_way)
        if (seed != 0)
            ::dprintf(STDERR_FILENO, "simulation: seed %llu was running\n", static_cast<unsigned long long>(seed));
    std::signal(SIGABRT, SIG_DFL);
}

// What a run found, or nothing.
std::optional<std::string> run_one(std::uint64_t seed, const Wishes& wishes, const std::filesystem::path& start,
                                   const Mutant& mutant, Tally& tally) {
    const auto server = mutant.server();
    const auto wire = mutant.wire();
    try {
        World world({seed, wishes.steps, wishes.trace}, start, *server, *wire);
        world.run();
        tally.add(world.tally());
    } catch (const Violation& violation) {
        return violation.what();
    }
    return std::nullopt;
}

int run_all(const Wishes& wishes, const std::filesystem::path& start) {
    std::atomic<std::uint64_t> next = wishes.first, found = UINT64_MAX;
    std::mutex mutex;
    std::string sentence;
    Tally sum;
    const auto job = [&](std::size_t place) {
        Tally mine;
        for (std::uint64_t seed; (seed = next++) < wishes.first + wishes.seeds && seed < found;) {
            under_way[place] = seed;
            auto violation = run_one(seed, wishes, start, Mutant{"none"}, mine);
            if (!violation) continue;
            const std::lock_guard lock(mutex);
            if (seed >= found) continue;
            found = seed;
            sentence = *violation;
        }
        under_way[place] = 0;
        const std::lock_guard lock(mutex);
        sum.add(mine);
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < std::min(static_cast<std::size_t>(wishes.jobs), jobs_max); ++i)
            threads.emplace_back(job, i);
    }
    if (found != UINT64_MAX) {
        std::printf("simulation: seed %llu, %s\n", static_cast<unsigned long long>(found.load()), sentence.c_str());
        return 1;
    }
    const auto count = [](std::int64_t number) { return static_cast<long long>(number); };
    std::printf(
        "simulation: %llu seeds from %llu, %lld steps: %lld requests, %lld billed once each (%lld after their hold, "
        "%lld "
        "at a dead process's mark), %lld refused, %lld replayed, %lld invoices, under %lld faults of which %lld "
        "deaths: "
        "nothing found\n",
        static_cast<unsigned long long>(wishes.seeds), static_cast<unsigned long long>(wishes.first), count(sum.steps),
        count(sum.requests), count(sum.billed), count(sum.late), count(sum.at_marks), count(sum.refused),
        count(sum.replays), count(sum.invoices), count(sum.faults), count(sum.deaths));
    return 0;
}

int run_mutants(const Wishes& wishes, const std::filesystem::path& start) {
    int missed = 0;
    for (const auto& mutant : mutants()) {
        std::optional<std::string> violation;
        std::uint64_t seed = wishes.first;
        for (Tally none; seed < wishes.first + wishes.seeds; ++seed) {
            under_way[0] = seed;
            violation = run_one(seed, wishes, start, mutant, none);
            if (violation) break;
        }
        missed += !violation;
        if (violation)
            std::printf("mutant '%s': caught by seed %llu, %s\n", mutant.name, static_cast<unsigned long long>(seed),
                        violation->c_str());
        else
            std::printf("mutant '%s': NOT caught by %llu seeds\n", mutant.name,
                        static_cast<unsigned long long>(wishes.seeds));
        std::fflush(stdout);
    }
    return missed == 0 ? 0 : 1;
}

Wishes read_wishes(int count, char** words) {
    Wishes wishes;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        const auto number = i + 1 < count ? std::strtoull(words[i + 1], nullptr, 10) : 0;
        if (word == "--trace") wishes.trace = true;
        if (word == "--mutants") wishes.mutants = true;
        if (word == "--seeds") wishes.seeds = number;
        if (word == "--first") wishes.first = number;
        if (word == "--steps") wishes.steps = static_cast<int>(number);
        if (word == "--jobs") wishes.jobs = static_cast<int>(std::max(1ULL, number));
        if (word == "--seed") {
            wishes.first = number;
            wishes.seeds = 1;
        }
    }
    return wishes;
}

}  // namespace
}  // namespace rootstock::simulation

int main(int count, char** words) {
    using namespace rootstock::simulation;
    std::signal(SIGABRT, tell_seeds);
    const auto wishes = read_wishes(count, words);
    const auto folder =
        std::filesystem::temp_directory_path() / ("rootstock-simulation-start-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    make_start(folder / "start.db");
    const int code = wishes.mutants ? run_mutants(wishes, folder / "start.db") : run_all(wishes, folder / "start.db");
    std::filesystem::remove_all(folder);
    return code;
}
