#include <cstdio>

#include "learn/learn.h"

int main(int argc, char** argv) {
    rootstock::make_waiting_cheap(argv);
    if (argc != 2 || argv[1][0] == '-') {
        std::fputs(
            "usage: rootstock-learn JOBFOLDER\n"
            "Runs the job that job.json describes; prints one event a line; goes on from a checkpoint if there is "
            "one.\n",
            stderr);
        return static_cast<int>(rootstock::LearnExit::callers_fault);
    }
    return static_cast<int>(rootstock::run_job(argv[1]));
}
