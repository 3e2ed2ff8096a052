#include "app/commands/serve_options.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace rootstock {
namespace {

constexpr std::size_t file_bytes_max = 64 * 1024;
constexpr std::int64_t rate_max = 1'000'000'000'000;

// What takes effect under a running server (wiring/reload.cpp); the rest needs a restart.
const std::set<std::string, std::less<>> live_names{
    "tls-certificate",   "tls-key",  "cors-origin",       "gzip-bytes-min",   "requests-per-minute",
    "tokens-per-minute", "parallel", "body-bytes-max",    "upload-bytes-max", "connections-max",
    "inputs-max",        "time-max", "answer-tokens-max", "write-time-max",   "log-level",
    "public-url",        "sign-up"};

Precision precision_of(const std::string& word) {
    return word == "fp32" ? Precision::fp32 : word == "int8" ? Precision::int8 : Precision::bf16;
}

std::optional<std::int64_t> limit_of(std::int64_t number) { return number > 0 ? std::optional(number) : std::nullopt; }

Result<void> set_answers(ServeSettings& settings, const ServeOptions& options) {
    if (options.certificate.empty() != options.key.empty())
        return fail(ErrorCode::invalid_argument, "TLS needs both files: give --tls-certificate and --tls-key",
                    options.key.empty() ? "tls-key" : "tls-certificate");
    if (!options.key.empty()) settings.tls = http::TlsFiles{options.certificate, options.key};
    for (const auto& origin : options.cors_origins) ROOTSTOCK_CHECKED(http::check_origin(origin));
    settings.answers.cors_origins = options.cors_origins;
    settings.answers.gzip_bytes_min = options.gzip_bytes_min;
    return {};
}

// The one line of a file that holds a secret.
Result<std::string> secret_in(const std::string& file, const char* setting) {
    if (file.empty()) return std::string();
    auto text = read_file(file, 4096);
    if (!text) return fail(text.error().code, text.error().message, setting);
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r' || text->back() == ' ')) text->pop_back();
    if (text->empty() || text->find_first_of("\r\n") != std::string::npos)
        return fail(ErrorCode::invalid_argument, file + " must hold one line", setting);
    return std::move(*text);
}

Result<void> set_outside(OutsideSettings& outside, const ServeOptions& options) {
    if (auto fine = http::check_networks(options.webhook_allow); !fine)
        return fail(fine.error().code, fine.error().message, "webhook-allow");
    outside.courier.webhooks = {true, options.webhook_allow};
    ROOTSTOCK_TRY(stripe_key, secret_in(options.stripe_key_file, "stripe-key-file"));
    ROOTSTOCK_TRY(stripe_secret, secret_in(options.stripe_webhook_secret_file, "stripe-webhook-secret-file"));
    if (!http::is_web_address(options.stripe_url))
        return fail(ErrorCode::invalid_argument, "'stripe-url' must be an address", "stripe-url");
    outside.stripe.url = options.stripe_url;
    outside.stripe.key = stripe_key;
    outside.stripe.webhook_secret = stripe_secret;
    ROOTSTOCK_TRY(password, secret_in(options.smtp_password_file, "smtp-password-file"));
    outside.courier.smtp = {options.smtp_url, options.smtp_from, options.smtp_user, password};
    outside.language = options.mail_language == "zh" ? letters::Language::chinese : letters::Language::english;
    return check_smtp(outside.courier.smtp);
}

Result<void> set_front(FrontSettings& front, const ServeOptions& options) {
    if (!options.public_url.empty() && !http::check_origin(options.public_url))
        return fail(ErrorCode::invalid_argument,
                    "'public-url' is where the world finds this server: https://HOST[:PORT], without a path",
                    "public-url");
    front.url = options.public_url;
    front.sign_up = options.sign_up;
    if (front.sign_up && (front.url.empty() || options.smtp_url.empty()))
        return fail(ErrorCode::invalid_argument,
                    "'sign-up' sends letters with a link: give 'public-url' and 'smtp-url' too", "sign-up");
    return {};
}

Result<ServeSettings> to_settings(const Context& context, const ServeOptions& options) {
    ROOTSTOCK_TRY(home, open_home(context.home));
    ServeSettings settings;
    settings.home = home;
    settings.listen = options.listen;
    settings.bases = options.bases;
    settings.native = {precision_of(options.precision), options.threads};
    settings.http.body_bytes_max = options.body_bytes_max;
    settings.http.connections_max = options.connections_max;
    settings.scheduler.queue.rows_max = options.queue_rows_max;
    settings.scheduler.queue.tokens_max = options.queue_tokens_max;
    settings.scheduler.batch_tokens_max = options.batch_tokens_max;
    settings.residency.bytes_max = options.adapter_bytes_max;
    settings.tables.bytes_max = options.table_bytes_max;
    settings.predict.inputs_max = options.inputs_max;
    settings.files.form_bytes_max = options.upload_bytes_max;
    settings.files.tenant_bytes_max = options.files_bytes_max;
    settings.workers = options.workers;
    settings.worker.home = home;
    settings.worker.tune.lease_seconds = options.lease_seconds;
    settings.writer.cache_bytes = options.cache_bytes;
    settings.writer.prefix_bytes = options.cache_bytes / 2;
    settings.writer.rows_max = static_cast<int>(options.texts_max);
    settings.generate.tokens_max = static_cast<int>(options.answer_tokens_max);
    settings.generate.time_max = std::chrono::milliseconds(static_cast<std::int64_t>(options.write_time_max * 1000));
    ROOTSTOCK_CHECKED(set_answers(settings, options));
    ROOTSTOCK_CHECKED(set_outside(settings.outside, options));
    ROOTSTOCK_CHECKED(set_front(settings.front, options));
    settings.key_limits = {limit_of(options.requests_per_minute), limit_of(options.tokens_per_minute),
                           limit_of(options.parallel)};
    settings.metrics_tenants_max = options.metrics_tenants_max;
    settings.log_level = options.log_level;
    settings.predict.time_max = std::chrono::milliseconds(static_cast<std::int64_t>(options.time_max * 1000));
    return settings;
}

void add_answer_options(CLI::App& command, ServeOptions& options) {
    command
        .add_option("--tls-certificate", options.certificate,
                    "PEM file: the certificate, then its chain; read again on SIGHUP")
        ->type_name("FILE");
    command.add_option("--tls-key", options.key, "PEM file: the certificate's key, not encrypted")->type_name("FILE");
    command
        .add_option(
            "--cors-origin", options.cors_origins,
            "a page's origin that may call from a browser, https://HOST[:PORT]; give it again for each further one")
        ->allow_extra_args(false);
    command.add_option("--gzip-bytes-min", options.gzip_bytes_min, "smaller answers are not packed; 0: none is")
        ->capture_default_str();
    command.add_option("--log-level", options.log_level, "how much is logged")
        ->check(CLI::IsMember({"error", "warning", "info", "debug"}))
        ->capture_default_str();
    command
        .add_option("--metrics-tenants-max", options.metrics_tenants_max,
                    "tenants with counters of their own in /metrics")
        ->capture_default_str();
    auto rate = [&](const char* name, std::int64_t& value, const char* sentence) {
        command.add_option(name, value, sentence)
            ->check(CLI::Range(std::int64_t{0}, rate_max))
            ->capture_default_str()
            ->group("Limits");
    };
    rate("--requests-per-minute", options.requests_per_minute,
         "of a key without a limit of its own; 0: any; 429 beyond");
    rate("--tokens-per-minute", options.tokens_per_minute, "the same for tokens, read and written");
    rate("--parallel", options.parallel, "the same for requests under way at one time");
}

// ---- the settings file ----

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool is_known(const std::string& name) {
    CLI::App app;
    ServeOptions options;
    add_serve_options(app, options);
    return app.get_option_no_throw("--" + name) != nullptr;
}

Result<void> read_line(std::string_view line, const std::string& where, std::vector<std::string>& words) {
    line = trimmed(line);
    if (line.empty() || line.front() == '#') return {};
    const auto equals = line.find('=');
    if (equals == std::string_view::npos)
        return fail(ErrorCode::invalid_argument, where + ": write `name = value`, or begin a comment with #",
                    "settings");
    const std::string name(trimmed(line.substr(0, equals))), value(trimmed(line.substr(equals + 1)));
    if (name == "settings" || !is_known(name))
        return fail(ErrorCode::invalid_argument,
                    where + ": there is no setting '" + name + "'; see `rootstock serve --help`, without the hyphens",
                    "settings");
    words.insert(words.end(), {"--" + name, value});
    return {};
}

// Those of the file that the command line does not name itself.
std::vector<std::string> added_up(const std::vector<std::string>& file, const std::vector<std::string>& given) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i + 1 < file.size(); i += 2) {
        bool named = false;
        for (std::size_t j = 0; j + 1 < given.size(); j += 2) named = named || given[j] == file[i];
        if (!named) words.insert(words.end(), {file[i], file[i + 1]});
    }
    words.insert(words.end(), given.begin(), given.end());
    return words;
}

std::vector<ToldSetting> told_settings(const CLI::App& app) {
    std::vector<ToldSetting> told;
    for (const auto* option : app.get_options()) {
        if (option->get_lnames().empty() || option->get_lnames().front() == "help") continue;
        const auto& name = option->get_lnames().front();
        std::string value;
        for (const auto& word : option->results()) value.append(value.empty() ? "" : ", ").append(word);
        if (option->count() == 0) value = option->get_default_str();
        told.push_back({name, value, live_names.contains(name)});
    }
    return told;
}

void add_outside_options(CLI::App& command, ServeOptions& options) {
    const auto text = [&](const char* name, std::string& value, const char* sentence) {
        return command.add_option(name, value, sentence)->group("The world outside");
    };
    command
        .add_option("--webhook-allow", options.webhook_allow,
                    "an address or network that webhooks may reach though it is not public; give it again")
        ->allow_extra_args(false)
        ->group("The world outside");
    text("--public-url", options.public_url,
         "where the world finds this server, https://HOST[:PORT]: pages and letters name it; empty: search engines are "
         "sent away");
    command
        .add_option("--sign-up", options.sign_up,
                    "may strangers open a trial of a plan on offer, by a letter with a link?")
        ->group("The world outside");
    text("--stripe-key-file", options.stripe_key_file, "a file with Stripe's secret key");
    text("--stripe-webhook-secret-file", options.stripe_webhook_secret_file,
         "a file with the secret of Stripe's endpoint POST /hooks/stripe");
    text("--stripe-url", options.stripe_url, "where Stripe's API is")->capture_default_str();
    text("--smtp-url", options.smtp_url, "smtp://HOST:PORT (STARTTLS) or smtps://HOST; empty: no letters are sent");
    text("--smtp-from", options.smtp_from, "the address that letters come from");
    text("--smtp-user", options.smtp_user, "who signs in at the mail server");
    text("--smtp-password-file", options.smtp_password_file, "a file with the password for it");
    text("--mail-language", options.mail_language, "of letters")
        ->check(CLI::IsMember({"en", "zh"}))
        ->capture_default_str();
}

}  // namespace

void add_serve_options(CLI::App& command, ServeOptions& options) {
    add_outside_options(command, options);
    command.add_option("--listen", options.listen, "HOST:PORT; port 0 takes a free one")->capture_default_str();
    command.add_option("--base", options.bases, "a base model, by name or digest; give it again for each further one")
        ->allow_extra_args(false);
    command
        .add_option("--precision", options.precision,
                    "of the matrix products; int8: weights of 8 bits where few rows read them")
        ->check(CLI::IsMember({"bf16", "int8", "fp32"}))
        ->capture_default_str();
    command.add_option("--threads", options.threads, "cores of one inference run; 0: all")->check(CLI::Range(0, 1024));
    command.add_option("--workers", options.workers, "processes for tuning jobs, kept beside the server")
        ->check(CLI::Range(0, 64))
        ->capture_default_str();
    command
        .add_option("--lease-seconds", options.lease_seconds, "a job whose worker is silent for so long is taken over")
        ->check(CLI::Range(1.0, 3600.0))
        ->capture_default_str();
    command.add_option("--files-bytes-max", options.files_bytes_max, "all files of one tenant; 413 beyond")
        ->check(CLI::PositiveNumber)
        ->capture_default_str()
        ->group("Limits");
    auto limit = [&](const char* name, std::size_t& value, const char* sentence) {
        command.add_option(name, value, sentence)->check(CLI::PositiveNumber)->capture_default_str()->group("Limits");
    };
    limit("--body-bytes-max", options.body_bytes_max, "one request's body; 413 beyond");
    limit("--upload-bytes-max", options.upload_bytes_max, "one uploaded file, or one part of one; 413 beyond");
    limit("--connections-max", options.connections_max, "open connections; 503 beyond");
    limit("--inputs-max", options.inputs_max, "inputs of one request; 400 beyond");
    limit("--queue-rows-max", options.queue_rows_max, "inputs waiting; 503 beyond");
    limit("--queue-tokens-max", options.queue_tokens_max, "tokens waiting; 503 beyond");
    limit("--batch-tokens-max", options.batch_tokens_max, "tokens of one inference run");
    limit("--adapter-bytes-max", options.adapter_bytes_max, "memory for adapters; the least used leave beyond");
    limit("--table-bytes-max", options.table_bytes_max, "memory for table models; the least used leave beyond");
    limit("--cache-bytes", options.cache_bytes, "memory of each language model for what it reads and writes");
    limit("--texts-max", options.texts_max, "texts that each language model writes at once; others wait");
    limit("--answer-tokens-max", options.answer_tokens_max, "tokens of one written answer, whatever is asked for");
    add_answer_options(command, options);
    command.add_option("--write-time-max", options.write_time_max, "seconds a written answer may take; 503 beyond")
        ->check(CLI::Range(0.1, 86400.0))
        ->capture_default_str()
        ->group("Limits");
    command.add_option("--time-max", options.time_max, "seconds a request may wait for its turn; 503 beyond")
        ->check(CLI::Range(0.1, 3600.0))
        ->capture_default_str()
        ->group("Limits");
}

Result<std::vector<std::string>> read_settings_file(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::string text(file_bytes_max + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream.is_open() || stream.bad() || (stream.fail() && !stream.eof()))
        return fail(ErrorCode::not_found, "the settings file " + file.string() + " cannot be read", "settings");
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (text.size() > file_bytes_max)
        return fail(ErrorCode::invalid_argument, file.string() + " is larger than a settings file can be", "settings");
    std::vector<std::string> words;
    std::istringstream lines(text);
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number)
        ROOTSTOCK_CHECKED(read_line(line, file.string() + ":" + std::to_string(number), words));
    return words;
}

std::vector<std::string> given_words(const CLI::App& command) {
    std::vector<std::string> words;
    for (const auto* option : command.get_options()) {
        if (option->get_lnames().empty() || option->get_lnames().front() == "settings") continue;
        for (const auto& value : option->results())
            words.insert(words.end(), {"--" + option->get_lnames().front(), value});
    }
    return words;
}

Result<ServeSettings> serve_settings(const Context& context, const std::vector<std::string>& given,
                                     const std::string& file) {
    std::vector<std::string> words = given;
    if (!file.empty()) {
        ROOTSTOCK_TRY(filed, read_settings_file(file));
        words = added_up(filed, given);
    }
    CLI::App app;
    ServeOptions options;
    add_serve_options(app, options);
    std::reverse(words.begin(), words.end());  // as CLI11 takes them
    try {
        app.parse(words);
    } catch (const CLI::ParseError& fault) {
        return fail(ErrorCode::invalid_argument, file.empty() ? fault.what() : file + ": " + fault.what(), "settings");
    }
    ROOTSTOCK_TRY(settings, to_settings(context, options));
    settings.told = told_settings(app);
    return settings;
}

}  // namespace rootstock
