#pragma once
// A program that works for us as a child process: started without a shell, read line by line, stopped with us.
//
// The child stands in a process group of its own, so that Ctrl-C reaches it once, through us; and the kernel ends it
// (SIGTERM) should we die ourselves. It reads nothing (standard input is /dev/null).

#include <filesystem>
#include <functional>
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
};

struct ChildEnd {
    int status = 0;            // exit status; 128 + number when a signal ended it
    int signal = 0;            // the signal that ended it, 0: it exited by itself
    bool interrupted = false;  // we were asked to stop and passed that on
};

// Runs the child to its end. SIGINT and SIGTERM that reach us meanwhile are passed on to its group; a third one kills
// it. Lines longer than 1 MiB are cut. not_found: there is no such program; io: it cannot be started.
Result<ChildEnd> run_child(const ChildCommand& command, const ChildHooks& hooks);

// "ended with status 2", "was ended by signal 9 (Killed)"
std::string describe(const ChildEnd& end);

}  // namespace rootstock
