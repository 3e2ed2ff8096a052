#pragma once
// The journey from labelled rows to a registered adapter (finetune.cpp):
//
//   prepare   rows become examples, faulty rows are kept aside; a job is opened and its folder written
//   learn     rootstock-learn works on the folder as a child process; its events are passed on
//   check     the adapter must say on the native executor what the learner recorded
//   measure   on rows it has not learned from, as serving will run it
//   register  an immutable version with its lineage, candidate until promoted; the machine time is booked
//
// An interrupted job keeps its checkpoint and is taken up again with resume. Nothing is registered half.

#include <filesystem>
#include <string>
#include <vector>

#include "base/base.h"
#include "catalog/catalog.h"
#include "evaluate/evaluate.h"
#include "store/store.h"

namespace rootstock {

struct FinetuneParts {
    store::Database& records;
    Home home;
    Clock& clock;
};

struct FinetuneOrder {
    std::string base;  // name, digest or prefix
    std::string task = "classify";
    std::string name;                       // of the adapter; a name used before gets the next version
    std::string tenant;                     // owner, by name or id; empty: the house
    std::filesystem::path data, eval;       // eval empty: measured on validation rows; task image: folders
    std::string text_column, label_column;  // empty: detected
    LoraSettings lora;
    TrainSettings train;
    std::filesystem::path report;  // JSON here and HTML beside it; empty: only with the adapter
};

// What the data came to, before learning starts.
struct PreparedJob {
    JobId id;
    std::filesystem::path folder;
    std::string base_name;
    std::string data_source, eval_source;
    bool pictures = false;  // rows are pictures, labels their folders
    std::string text_column, label_column;
    std::int64_t rows = 0, examples = 0, kept_aside = 0, eval_examples = 0, eval_kept_aside = 0, duplicates = 0;
    std::size_t labels = 0;
    std::vector<std::string> warnings;
    TrainSettings train;
};

// Hears how the work goes; all calls come from the thread that runs the journey.
class FinetuneWatcher {
public:
    virtual ~FinetuneWatcher() = default;
    virtual void prepared(const PreparedJob& job) = 0;
    virtual void event(const json::object& event) = 0;   // of the learner, see base/job.h
    virtual void note(const std::string& sentence) = 0;  // "the learner died ...; it goes on from its checkpoint"
};

struct FinetuneResult {
    catalog::Adapter adapter;
    std::filesystem::path folder;        // home/adapters/<id>
    std::filesystem::path html, report;  // the report, as HTML and as JSON
    EvaluationPage page;
    std::string measured_on;  // "test.csv", or "validation rows of train.csv"
    std::string checked;      // "8 self-tests agree within ..."
};

// Errors: those of the data (file, row, column and what to do), of the base (find_base), of settings; cancelled, when
// it was interrupted, with the command that goes on; what the learner said when it failed.
Result<FinetuneResult> finetune(FinetuneParts parts, const FinetuneOrder& order, FinetuneWatcher& watcher);

// Takes up a job that was interrupted, failed, or whose process died. conflict: it is running, or done.
Result<FinetuneResult> resume_finetune(FinetuneParts parts, const JobId& job, const std::filesystem::path& report,
                                       FinetuneWatcher& watcher);

}  // namespace rootstock
