#pragma once
// For this folder's tests: starts rootstock-learn on a job folder and listens to it.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/base.h"

namespace rootstock {

namespace fs = std::filesystem;

struct Ended {
    int exit_code = -1;  // -1: a signal ended it
    std::vector<json::value> events;

    const json::object* last(std::string_view kind) const {
        for (auto event = events.rbegin(); event != events.rend(); ++event)
            if (event->as_object().at("event").as_string() == kind) return &event->as_object();
        return nullptr;
    }
};

// Runs rootstock-learn on the folder. `on_event` may answer with a signal for the process.
inline Ended run_program(const fs::path& folder, const std::function<int(const json::value&)>& on_event = nullptr) {
    auto program = (fs::path(ROOTSTOCK_BINARY_DIR) / "bin" / "rootstock-learn").string();
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    pid_t child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], 1);
        ::execl(program.c_str(), program.c_str(), folder.c_str(), nullptr);
        ::_exit(127);
    }
    ::close(ends[1]);
    Ended ended;
    std::FILE* out = ::fdopen(ends[0], "r");
    char* line = nullptr;
    std::size_t room = 0;
    while (::getline(&line, &room, out) > 0) {
        ended.events.push_back(json::parse(line));
        int signal = on_event ? on_event(ended.events.back()) : 0;
        if (signal) ::kill(child, signal);
    }
    std::free(line);
    std::fclose(out);
    int status = 0;
    ::waitpid(child, &status, 0);
    ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ended;
}

// Kills the run at random moments until it outruns the killer or was killed `kills_max` times, then lets it end. How
// often it is killed depends on the machine; what it ends with does not.
struct Survived {
    int kills = 0;
    std::int64_t furthest = 0;  // the latest step it was resumed from
    Ended ended;
};

inline Survived run_under_kills(const fs::path& folder, std::uint64_t seed, int kills_max) {
    SeededRandom random(seed);
    Survived survived;
    while (survived.kills < kills_max) {
        // Some events after it began, and some moment after that.
        auto events_left = static_cast<std::int64_t>(2 + random.below(4));
        survived.ended = run_program(folder, [&](const json::value& event) {
            if (event.as_object().at("event").as_string() == "started")
                survived.furthest =
                    std::max(survived.furthest, event.as_object().at("resumed_from").to_number<std::int64_t>());
            if (--events_left > 0) return 0;
            ::usleep(static_cast<useconds_t>(random.below(30'000)));
            return SIGKILL;
        });
        if (survived.ended.exit_code == 0) return survived;
        EXPECT_EQ(survived.ended.exit_code, -1);
        if (survived.ended.exit_code != -1) return survived;
        ++survived.kills;
    }
    survived.ended = run_program(folder);
    return survived;
}

inline std::string adapter_weights(const fs::path& folder) {
    auto bytes = read_file(folder / "adapter" / "adapter_model.safetensors");
    EXPECT_TRUE(bytes) << bytes.error().message;
    return bytes.value_or("");
}

}  // namespace rootstock
