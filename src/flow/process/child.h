#pragma once
// A program that works for us as a child process: started without a shell, read line by line, stopped with us.
//
// The child stands in a process group of its own, so that Ctrl-C reaches it once, through us; and the kernel ends it
// (SIGTERM) should we die ourselves. It reads nothing (standard input is /dev/null).

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/base.h"

namespace rootstock {

struct ChildCommand {
    std::vector<std::string> words;  // the program (a path, or a name looked up in PATH) and its arguments
    std::vector<std::pair<std::string, std::string>> environment;  // set on top of ours
};

struct ChildHooks {
    std::function<void(const std::string&)> on_line;   // each line of its standard output, without the newline
    std::function<void(const std::string&)> on_error;  // each line of its standard error
    std::function<void()> on_tick;                     // about five times a second while it runs
    std::function<bool()> stop;                        // asked as often; once it says yes, the child gets SIGTERM
};

struct ChildEnd {
    int status = 0;            // exit status; 128 + number when a signal ended it
    int signal = 0;            // the signal that ended it, 0: it exited by itself
    bool interrupted = false;  // we were asked to stop, by a signal or the hook, and passed that on
};

// Runs the child to its end. SIGINT and SIGTERM that reach us meanwhile are passed on to its group; a third one kills
// it. Lines longer than 1 MiB are cut. not_found: there is no such program; io: it cannot be started.
Result<ChildEnd> run_child(const ChildCommand& command, const ChildHooks& hooks);

// A program that runs beside us. It writes where we write errors, and the kernel ends it (SIGTERM) should the thread
// that started it end.
class Companion {
public:
    static Result<Companion> start(const ChildCommand& command);
    Companion(Companion&& other) noexcept;
    Companion& operator=(Companion&& other) noexcept;
    ~Companion();  // SIGTERM, and waits for its end

    std::optional<ChildEnd> ended();  // without waiting; nothing while it runs
    ChildEnd wait();
    void signal(int number);
    int process() const { return process_; }

private:
    explicit Companion(int process) : process_(process) {}
    int process_ = -1;
};

// "ended with status 2", "was ended by signal 9 (Killed)"
std::string describe(const ChildEnd& end);

}  // namespace rootstock
