#include "flow/process/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/base.h"

namespace rootstock {
namespace {

std::atomic<int> writing_end{-1};

void on_signal(int number) {
    int kept = errno;
    auto byte = static_cast<unsigned char>(number);
    int end = writing_end.load();
    if (end >= 0 && ::write(end, &byte, 1) < 0) { /* the pipe is full of signals already */
    }
    errno = kept;
}

}  // namespace

Interrupts::Interrupts() {
    ROOTSTOCK_CHECK(::pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) == 0, "a pipe for signals");
    int nobody = -1;
    ROOTSTOCK_CHECK(writing_end.compare_exchange_strong(nobody, pipe_[1]), "one Interrupts at a time");
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, &before_int_);
    ::sigaction(SIGTERM, &action, &before_term_);
}

Interrupts::~Interrupts() {
    ::sigaction(SIGINT, &before_int_, nullptr);
    ::sigaction(SIGTERM, &before_term_, nullptr);
    writing_end = -1;
    ::close(pipe_[0]);
    ::close(pipe_[1]);
}

int Interrupts::take() {
    unsigned char byte = 0;
    return ::read(pipe_[0], &byte, 1) == 1 ? byte : 0;
}

}  // namespace rootstock
