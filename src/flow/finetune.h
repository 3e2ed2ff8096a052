#pragma once
// The journey from labelled rows to a registered adapter (finetune.cpp):
//
//   prepare   rows become examples, faulty rows are kept aside; a job is opened and its folder written
//             (task "table": columns become a schema, learned from the training rows alone)
//   learn     rootstock-learn works on the folder as a child process; its events are passed on
//   check     the adapter, or the table model, must say on the native executor what the learner recorded
//   measure   on rows it has not learned from, as serving will run it
//   register  an immutable version with its lineage, candidate until promoted; the machine time is booked
//
// An interrupted job keeps its checkpoint and is taken up again with resume. Nothing is registered half.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/base.h"
#include "catalog/catalog.h"
#include "data/data.h"
#include "flow/tuning/auto_settings.h"
#include "flow/tuning/table_settings.h"
#include "store/store.h"

namespace rootstock {

struct FinetuneParts {
    store::Database& records;
    Home home;
    Clock& clock;
};

// What task "table" asks besides: a model of its own, from the rows of a table alone.
struct TableOrder {
    std::vector<std::string> drop;           // columns to leave out: they give the answer away, or must not count
    std::vector<std::string> categories;     // columns whose numbers are codes
    LabelKind label_kind = LabelKind::none;  // none: told from the values
    NumberScaling::Kind scaling = NumberScaling::Kind::quantile;
    TableSettings settings;
};

struct FinetuneOrder {
    std::string base;  // name, digest or prefix; empty for task "table"
    std::string task = "classify";
    std::string name;                       // of the adapter; a name used before gets the next version
    std::string tenant;                     // owner, by name or id; empty: the house
    std::filesystem::path data, eval;       // eval empty: measured on validation rows; task image: folders
    std::string text_column, label_column;  // empty: detected
    LoraSettings lora;
    TrainSettings train;
    TableOrder table;
    AutoSettings automatic;         // of `train`: what is left to the size of the data
    bool refuse_long_rows = false;  // chat: rows beyond max_tokens are kept aside instead of cut at their beginning
    std::filesystem::path report;   // JSON here and HTML beside it; empty: only with the adapter
};

// What the data came to, before learning starts.
struct PreparedJob {
    JobId id;
    std::filesystem::path folder;
    std::string task;
    std::string base_name;
    std::string data_source, eval_source;
    std::string text_column, label_column;
    std::string columns;  // of a table: "7 numbers, 13 categories, 1 left out"
    std::int64_t rows = 0, examples = 0, kept_aside = 0, eval_examples = 0, eval_kept_aside = 0, duplicates = 0;
    std::size_t labels = 0;
    std::int64_t tokens = 0, learned_tokens = 0, cut = 0;  // chat: of the rows to learn from; rows that were cut
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

// What was measured, in every form it is read in. Each task has its own.
class TuningReport {
public:
    virtual ~TuningReport() = default;
    virtual void set_title(const std::string& title) = 0;  // "support@1"
    virtual json::value as_json() const = 0;
    virtual std::string as_html() const = 0;  // one page that needs nothing from outside
    virtual std::string as_text() const = 0;  // for the terminal
    virtual json::value metrics() const = 0;  // what the catalog keeps: an object with "measured_on"
};

struct FinetuneResult {
    catalog::Adapter adapter;
    std::filesystem::path folder;        // home/adapters/<id>
    std::filesystem::path html, report;  // the report, as HTML and as JSON
    std::shared_ptr<const TuningReport> measured;
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
