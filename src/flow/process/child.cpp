#include "flow/process/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "flow/process/interrupt.h"

extern char** environ;

namespace rootstock {
namespace {

constexpr std::size_t line_bytes_max = std::size_t{1} << 20;
constexpr int tick_ms = 200;
constexpr int kill_after_signals = 3;

class Pipe {
public:
    Pipe() { ROOTSTOCK_CHECK(::pipe2(ends_, O_CLOEXEC) == 0, "a pipe to a child"); }
    ~Pipe() {
        close_end(0);
        close_end(1);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    int reading() const { return ends_[0]; }
    int writing() const { return ends_[1]; }
    void close_end(int which) {
        if (ends_[which] >= 0) ::close(ends_[which]);
        ends_[which] = -1;
    }

private:
    int ends_[2] = {-1, -1};
};

// Cuts a stream of bytes into lines.
class Lines {
public:
    explicit Lines(const std::function<void(const std::string&)>& hook) : hook_(hook) {}

    // False at the end of the stream.
    bool read_from(int descriptor) {
        char piece[16384];
        auto got = ::read(descriptor, piece, sizeof piece);
        if (got < 0) return errno == EINTR || errno == EAGAIN;
        for (ssize_t i = 0; i < got; ++i) add(piece[i]);
        if (got == 0 && !line_.empty()) flush();
        return got > 0;
    }

private:
    void add(char c) {
        if (c == '\n')
            flush();
        else if (line_.size() < line_bytes_max)
            line_ += c;
    }
    void flush() {
        if (hook_) hook_(line_);
        line_.clear();
    }

    const std::function<void(const std::string&)>& hook_;
    std::string line_;
};

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& changes) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry; ++entry) {
        std::string text = *entry;
        bool changed = false;
        for (const auto& [name, value] : changes) changed = changed || text.starts_with(name + "=");
        if (!changed) all.push_back(std::move(text));
    }
    for (const auto& [name, value] : changes) all.push_back(name + "=" + value);
    return all;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

// Between fork and exec only async-signal-safe calls are allowed: everything is prepared before.
[[noreturn]] void become(char* const* words, char* const* environment, int out, int err, int report, pid_t parent) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);
    struct sigaction normal {};
    normal.sa_handler = SIG_DFL;
    for (int number : {SIGINT, SIGTERM, SIGPIPE}) ::sigaction(number, &normal, nullptr);
    int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execvpe(words[0], words, environment);
    int why = errno;
    if (::write(report, &why, sizeof why) < 0) { /* the exit status says it too */
    }
    ::_exit(127);
}

Result<void> exec_outcome(int report, const std::string& program) {
    int why = 0;
    ssize_t got;
    while ((got = ::read(report, &why, sizeof why)) < 0 && errno == EINTR) {
    }
    if (got == 0) return {};  // the pipe closed by itself on exec
    return fail(why == ENOENT ? ErrorCode::not_found : ErrorCode::io,
                "cannot start " + program + ": " + std::strerror(why));
}

ChildEnd end_of(int status) {
    if (WIFSIGNALED(status)) return {128 + WTERMSIG(status), WTERMSIG(status), false};
    return {WEXITSTATUS(status), 0, false};
}

ChildEnd wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return end_of(status);
}

// Listens to the child until it closes both streams. Returns whether it was asked to stop meanwhile.
bool listen(pid_t child, int out, int err, const ChildHooks& hooks) {
    Interrupts interrupts;
    Lines lines(hooks.on_line), errors(hooks.on_error);
    pollfd watched[] = {{out, POLLIN, 0}, {err, POLLIN, 0}, {interrupts.descriptor(), POLLIN, 0}};
    int signals = 0;
    bool stopped = false;
    while (watched[0].fd >= 0 || watched[1].fd >= 0) {
        ::poll(watched, 3, tick_ms);
        if (watched[0].fd >= 0 && watched[0].revents && !lines.read_from(out)) watched[0].fd = -1;
        if (watched[1].fd >= 0 && watched[1].revents && !errors.read_from(err)) watched[1].fd = -1;
        while (int number = interrupts.take()) ::kill(-child, ++signals < kill_after_signals ? number : SIGKILL);
        if (hooks.on_tick) hooks.on_tick();
        if (!stopped && hooks.stop && hooks.stop()) {
            stopped = true;
            ::kill(-child, SIGTERM);
        }
    }
    return signals > 0 || stopped;
}

}  // namespace

Result<ChildEnd> run_child(const ChildCommand& command, const ChildHooks& hooks) {
    auto environment = environment_with(command.environment);
    auto words = pointers_to(command.words), variables = pointers_to(environment);
    Pipe out, err, report;
    pid_t parent = ::getpid();
    pid_t child = ::fork();
    if (child < 0) return fail(ErrorCode::io, "cannot start " + command.words.front() + ": " + std::strerror(errno));
    if (child == 0) become(words.data(), variables.data(), out.writing(), err.writing(), report.writing(), parent);
    ::setpgid(child, child);  // both do it: whoever is first
    for (auto* pipe : {&out, &err, &report}) pipe->close_end(1);
    if (auto started = exec_outcome(report.reading(), command.words.front()); !started) {
        wait_for(child);
        return fail(started.error());
    }
    bool interrupted = listen(child, out.reading(), err.reading(), hooks);
    auto end = wait_for(child);
    end.interrupted = interrupted;
    return end;
}

Result<Companion> Companion::start(const ChildCommand& command) {
    auto environment = environment_with(command.environment);
    auto words = pointers_to(command.words), variables = pointers_to(environment);
    Pipe report;
    pid_t parent = ::getpid();
    pid_t child = ::fork();
    if (child < 0) return fail(ErrorCode::io, "cannot start " + command.words.front() + ": " + std::strerror(errno));
    if (child == 0) become(words.data(), variables.data(), STDERR_FILENO, STDERR_FILENO, report.writing(), parent);
    ::setpgid(child, child);
    report.close_end(1);
    if (auto started = exec_outcome(report.reading(), command.words.front()); !started) {
        wait_for(child);
        return fail(started.error());
    }
    return Companion(child);
}

Companion::Companion(Companion&& other) noexcept : process_(std::exchange(other.process_, -1)) {}

Companion& Companion::operator=(Companion&& other) noexcept {
    std::swap(process_, other.process_);
    return *this;
}

Companion::~Companion() {
    if (process_ < 0) return;
    signal(SIGTERM);
    wait();
}

std::optional<ChildEnd> Companion::ended() {
    int status = 0;
    if (process_ < 0 || ::waitpid(process_, &status, WNOHANG) != process_) return std::nullopt;
    process_ = -1;
    return end_of(status);
}

ChildEnd Companion::wait() {
    auto end = wait_for(process_);
    process_ = -1;
    return end;
}

void Companion::signal(int number) {
    if (process_ >= 0) ::kill(process_, number);
}

std::string describe(const ChildEnd& end) {
    if (end.signal != 0)
        return "was ended by signal " + std::to_string(end.signal) + " (" + ::strsignal(end.signal) + ")";
    return "ended with status " + std::to_string(end.status);
}

}  // namespace rootstock
