#pragma once
// SIGINT and SIGTERM as something that can be waited for, while a child works for us.

#include <csignal>

namespace rootstock {

// While one lives, the two signals do not end the process: each becomes a byte in a pipe. One at a time.
class Interrupts {
public:
    Interrupts();
    ~Interrupts();
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;

    int descriptor() const { return pipe_[0]; }  // readable when a signal came
    int take();                                  // the next signal's number, 0: none

private:
    int pipe_[2] = {-1, -1};
    struct sigaction before_int_ {};
    struct sigaction before_term_ {};
};

}  // namespace rootstock
