#include "flow/tuning/learner.h"

#include <csignal>
#include <map>
#include <optional>
#include <sstream>

#include "flow/process/child.h"

namespace rootstock {
namespace fs = std::filesystem;
namespace {

constexpr double progress_seconds = 2;  // between two notes in the catalog
constexpr int starts_max = 2;
constexpr int status_callers_fault = 1;
constexpr std::size_t curve_points_max = 600;

Result<fs::path> learner_program() {
    std::error_code code;
    auto program = fs::read_symlink("/proc/self/exe", code).parent_path() / "rootstock-learn";
    if (fs::exists(program, code)) return program;
    return fail(ErrorCode::not_found,
                "rootstock-learn is not beside rootstock: " + program.string() + "; build both with `make build`");
}

ErrorCode code_named(const std::string& text) {
    for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i)
        if (text == name(static_cast<ErrorCode>(i))) return static_cast<ErrorCode>(i);
    return ErrorCode::internal;
}

// One start of the child and what it said.
class Listener {
public:
    Listener(FinetuneParts& parts, const TuningJob& job, JobKeeper& keeper, FinetuneWatcher& watcher)
        : parts_(parts), job_(job), keeper_(keeper), watcher_(watcher) {}

    Result<ChildEnd> run(const fs::path& program) {
        ChildCommand command{{program.string(), job_.folder.string()}, {}};
        if (job_.plan.train.threads > 0)
            command.environment.emplace_back("OMP_NUM_THREADS", std::to_string(job_.plan.train.threads));
        ChildHooks hooks;
        hooks.on_line = [this](const std::string& line) { hear(line); };
        hooks.on_error = [this](const std::string& line) {
            if (!line.empty()) last_words_ = line;
        };
        hooks.stop = [this] { return keeper_.stop(); };
        return run_child(command, hooks);
    }

    const std::optional<json::object>& done() const { return done_; }
    const std::string& last_words() const { return last_words_; }
    std::optional<Error> said() const {
        if (!error_) return std::nullopt;
        return Error{code_named(text_at(*error_, "code")), text_at(*error_, "message"), {}, {}};
    }

private:
    void hear(const std::string& line) {
        auto event = learner_event(line);
        if (!event) return;
        if (text_at(*event, "event") == "done") done_ = event;
        if (text_at(*event, "event") == "error") error_ = event;
        note_progress(*event);
        watcher_.event(*event);
    }

    // A catalog that is busy for a moment must not stop the learning: the next event tries again.
    void note_progress(const json::object& event) {
        double now = monotonic_seconds();
        if (now - noted_ < progress_seconds) return;
        noted_ = now;
        auto outcome = parts_.records.write_now([&](store::Session& session) -> Result<void> {
            return catalog::set_job_progress(session, job_.hold, event);
        });
        if (!outcome) spdlog::warn("the progress of {} was not recorded: {}", job_.id.text(), outcome.error().message);
    }

    FinetuneParts& parts_;
    const TuningJob& job_;
    JobKeeper& keeper_;
    FinetuneWatcher& watcher_;
    double noted_ = -1e9;
    std::string last_words_;
    std::optional<json::object> done_, error_;
};

Error interrupted(const TuningJob& job) {
    std::error_code code;
    bool kept = fs::exists(checkpoint_folder(job.folder), code);
    return {ErrorCode::cancelled,
            std::string("tuning was interrupted; ") +
                (kept ? "its checkpoint is kept" : "there was no checkpoint yet") +
                "; go on with: rootstock finetune --resume " + job.id.text(),
            {},
            "interrupted"};
}

Error death(const Listener& listener, const ChildEnd& end) {
    if (auto said = listener.said()) return *said;
    auto words = listener.last_words().empty() ? "" : ": " + listener.last_words();
    auto advice = end.signal == SIGKILL ? "; if the machine ran out of memory, try a smaller --batch" : "";
    return {ErrorCode::internal, "rootstock-learn " + describe(end) + words + advice, {}, {}};
}

using Points = std::map<double, double>;  // by step; what a resumed run repeats counts once

std::vector<CurvePoint> thinned(const Points& points) {
    std::vector<CurvePoint> curve;
    auto stride = points.size() / curve_points_max + 1;
    std::size_t i = 0;
    for (auto [step, value] : points)
        if (i++ % stride == 0 || i == points.size()) curve.push_back({step, value});
    return curve;
}

}  // namespace

// A line that is no event (a library's chatter) is passed over.
std::optional<json::object> learner_event(const std::string& line) {
    if (!line.starts_with('{')) return std::nullopt;
    auto value = parse_json(line, "the learner's event");
    if (!value || !value->is_object() || text_at(value->as_object(), "event").empty()) return std::nullopt;
    return value->as_object();
}

std::string text_at(const json::object& event, std::string_view key) {
    const auto* value = event.if_contains(key);
    return value && value->is_string() ? std::string(value->as_string()) : "";
}

std::optional<double> number_at(const json::object& event, std::string_view key) {
    const auto* value = event.if_contains(key);
    if (!value || !value->is_number()) return std::nullopt;
    return value->to_number<double>();
}

Result<Learned> run_learner(FinetuneParts& parts, const TuningJob& job, JobKeeper& keeper, FinetuneWatcher& watcher,
                            double& seconds) {
    ROOTSTOCK_TRY(program, learner_program());
    seconds = job.seconds_before;
    for (int start = 1;; ++start) {
        Listener listener(parts, job, keeper, watcher);
        double began = monotonic_seconds();
        auto end = listener.run(program);
        seconds += monotonic_seconds() - began;
        if (!end) return fail(end.error());
        if (end->status == 0 && listener.done()) return Learned{*listener.done(), seconds};
        if (end->interrupted) return fail(interrupted(job));
        auto error = death(listener, *end);
        if (end->status == status_callers_fault || start == starts_max) return fail(std::move(error));
        watcher.note(error.message + "; it is started once more and goes on from its last checkpoint");
    }
}

LearningCurves read_curves(const fs::path& job_folder) {
    Points loss, accuracy;
    auto text = read_file(events_file(job_folder));
    std::istringstream lines(text ? *text : "");
    for (std::string line; std::getline(lines, line);) {
        auto event = learner_event(line);
        if (!event) continue;
        auto kind = text_at(*event, "event");
        auto step = number_at(*event, "step");
        if (!step) continue;
        if (auto value = number_at(*event, "loss"); value && kind == "step") loss[*step] = *value;
        if (kind != "evaluation") continue;
        for (const char* measure : {"accuracy", "mean_token_accuracy"})
            if (auto value = number_at(*event, measure)) accuracy[*step] = *value;
    }
    return {thinned(loss), thinned(accuracy)};
}

}  // namespace rootstock
