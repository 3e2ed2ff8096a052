#pragma once
// The command line: one file per command, each with one function that adds it to the program.
//
//   void add_x_command(CLI::App& program, Context& context)
//
// makes the subcommand, binds its options to a struct that the callback owns, and sets a callback of the shape
//
//   command->callback([&context, options] { run_command(context, [&] { return x(context, *options); }); });
//
// Commands print their result on standard output: text for people, or with --json one JSON value. What went wrong
// is one sentence on standard error; with --json {"error": {"code", "message", "param", "reason"}} on standard output.
// Exit codes: 0 done; 1 an Error; 2 the command line was not understood; 130 interrupted.

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/base.h"
#include "store/store.h"
#include "tenant/tenant.h"

namespace rootstock {

// What the options before and behind every command say.
struct Context {
    std::string home;   // --home; empty: $ROOTSTOCK_HOME or ~/.rootstock
    bool json = false;  // --json
    int exit_code = 0;
};

// The home folder with its records open.
struct Workplace {
    Home home;
    std::unique_ptr<store::Database> records;
};
Result<Workplace> open_workplace(const Context& context);

// Runs the body and prints its Error, if any. Faults of our own that arrive as exceptions become one sentence too.
void run_command(Context& context, const std::function<Result<void>()>& body);

void print_error(const Context& context, const Error& error);
json::value to_json(const Error& error);  // {"code", "message", "param", "reason"}; empty ones left out

// One JSON value and a newline on standard output.
void print_json(const json::value& value);

// Columns aligned by what they hold, a bold header, two blanks between. The cells are plain text, UTF-8.
class Table {
public:
    explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
    void align_right(std::size_t column) { right_.push_back(column); }  // for numbers
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    std::string text() const;

private:
    std::vector<std::string> header_;
    std::vector<std::vector<std::string>> rows_;
    std::vector<std::size_t> right_;
};

// The known word nearest to `word` (at most two letters off, swaps count one), or nothing.
std::string nearest_word(const std::string& word, const std::vector<std::string>& known);

// --requests-per-minute, --tokens-per-minute, --parallel: what is not given is no limit.
void add_limit_options(CLI::App& command, tenant::Limits& limits);
std::string limits_text(const tenant::Limits& limits);  // "60 requests/min, 2 at a time", "none"
json::value to_json(const tenant::Limits& limits);      // {"requests_per_minute": 60, ...}; null where there is none

// ---- the commands ----
void add_pull_command(CLI::App& program, Context& context);
void add_models_command(CLI::App& program, Context& context);
void add_finetune_command(CLI::App& program, Context& context);
void add_adapters_command(CLI::App& program, Context& context);
void add_promote_command(CLI::App& program, Context& context);
void add_score_command(CLI::App& program, Context& context);
void add_export_command(CLI::App& program, Context& context);
void add_merge_command(CLI::App& program, Context& context);
void add_serve_command(CLI::App& program, Context& context);
void add_worker_command(CLI::App& program, Context& context);
void add_tenant_command(CLI::App& program, Context& context);
void add_key_command(CLI::App& program, Context& context);
void add_user_command(CLI::App& program, Context& context);
void add_plan_command(CLI::App& program, Context& context);
void add_subscription_command(CLI::App& program, Context& context);
void add_wallet_command(CLI::App& program, Context& context);
void add_coupon_command(CLI::App& program, Context& context);
void add_partner_command(CLI::App& program, Context& context);
void add_usage_command(CLI::App& program, Context& context);
void add_invoice_command(CLI::App& program, Context& context);
void add_invoice_steps(CLI::App& group, Context& context);  // under `invoice`
void add_credit_note_command(CLI::App& program, Context& context);
void add_tax_command(CLI::App& program, Context& context);
void add_economics_command(CLI::App& program, Context& context);
void add_ledger_command(CLI::App& program, Context& context);
void add_store_command(CLI::App& program, Context& context);
void add_chat_command(CLI::App& program, Context& context);
void add_classify_command(CLI::App& program, Context& context);
void add_tokenizer_command(CLI::App& program, Context& context);

}  // namespace rootstock
