// rootstock serve: answers requests until it is told to stop.

#include "app/commands/commands.h"
#include "app/wiring/serve.h"

namespace rootstock {
namespace {

Precision precision_of(const std::string& word) {
    return word == "fp32" ? Precision::fp32 : word == "int8" ? Precision::int8 : Precision::bf16;
}

struct ServeOptions {
    std::string listen = "127.0.0.1:8080";
    std::vector<std::string> bases;
    std::string precision = "bf16";
    int threads = 0;
    std::size_t body_bytes_max = http::ServerLimits{}.body_bytes_max;
    std::size_t connections_max = http::ServerLimits{}.connections_max;
    std::size_t queue_rows_max = QueueLimits{}.rows_max;
    std::size_t queue_tokens_max = QueueLimits{}.tokens_max;
    std::size_t batch_tokens_max = SchedulerSettings{}.batch_tokens_max;
    std::size_t adapter_bytes_max = ResidencyLimits{}.bytes_max;
    std::size_t inputs_max = PredictLimits{}.inputs_max;
    double time_max = 30;
    int workers = ServeSettings{}.workers;
    double lease_seconds = TuneSettings{}.lease_seconds;
    std::size_t upload_bytes_max = FileSettings{}.form_bytes_max;
    std::int64_t files_bytes_max = FileSettings{}.tenant_bytes_max;
    std::size_t cache_bytes = WriterSettings{}.cache_bytes;
    std::size_t texts_max = static_cast<std::size_t>(WriterSettings{}.rows_max);
    std::size_t answer_tokens_max = static_cast<std::size_t>(GenerateLimits{}.tokens_max);
    double write_time_max = 600;
};

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
    settings.predict.time_max = std::chrono::milliseconds(static_cast<std::int64_t>(options.time_max * 1000));
    return settings;
}

void announce(const Context& context, const Listening& listening) {
    if (context.json) {
        json::array bases;
        for (const auto& base : listening.bases)
            bases.push_back(json::object{{"base", base.name}, {"executor", base.description}});
        print_json(json::object{
            {"listening", listening.address}, {"bases", std::move(bases)}, {"seconds", listening.seconds}});
        return;
    }
    for (const auto& base : listening.bases) {
        std::printf("base model   %s\n", base.name.c_str());
        std::printf("executor     %s\n", base.description.c_str());
    }
    std::printf("listening on %s\n", listening.address.c_str());
    std::fflush(stdout);
}

void add_options(CLI::App& command, ServeOptions& options) {
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
    limit("--cache-bytes", options.cache_bytes, "memory of each language model for what it reads and writes");
    limit("--texts-max", options.texts_max, "texts that each language model writes at once; others wait");
    limit("--answer-tokens-max", options.answer_tokens_max, "tokens of one written answer, whatever is asked for");
    command.add_option("--write-time-max", options.write_time_max, "seconds a written answer may take; 503 beyond")
        ->check(CLI::Range(0.1, 86400.0))
        ->capture_default_str()
        ->group("Limits");
    command.add_option("--time-max", options.time_max, "seconds a request may wait for its turn; 503 beyond")
        ->check(CLI::Range(0.1, 3600.0))
        ->capture_default_str()
        ->group("Limits");
}

}  // namespace

void add_serve_command(CLI::App& program, Context& context) {
    auto* command = program.add_subcommand("serve", "answer requests over HTTP");
    auto options = std::make_shared<ServeOptions>();
    add_options(*command, *options);
    command->callback([&context, options] {
        run_command(context, [&]() -> Result<void> {
            ROOTSTOCK_TRY(settings, to_settings(context, *options));
            return serve(std::move(settings), [&](const Listening& listening) { announce(context, listening); });
        });
    });
}

}  // namespace rootstock
