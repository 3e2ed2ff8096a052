// /v1/files: what customers leave with us to learn from or to answer, and what we leave for them. OpenAI's shapes.

#include "app/routes/files.h"

#include "app/routes/form.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

constexpr std::int64_t page_max = 10'000;

struct Wanted {
    std::string purpose;
    std::optional<std::int64_t> seconds;  // to be kept
};

Result<Wanted> read_fields(std::vector<http::Header> all) {
    TextFields fields(std::move(all));
    Wanted wanted;
    wanted.purpose = fields.required("purpose");
    if (!wanted.purpose.empty() && !is_purpose(wanted.purpose)) fields.fault("purpose", purposes_sentence);
    auto anchor = fields.text("expires_after[anchor]");
    auto seconds = fields.integer("expires_after[seconds]", 0, expiry_seconds_min, expiry_seconds_max);
    if (anchor.empty() != (seconds == 0) || (!anchor.empty() && anchor != "created_at"))
        fields.fault("expires_after", "needs both: anchor \"created_at\" and seconds");
    if (seconds > 0) wanted.seconds = seconds;
    ROOTSTOCK_CHECKED(fields.finish());
    return wanted;
}

// On the disk's threads: the form is read, the blob is durable.
Result<catalog::File> take_in(const Exchange& exchange) {
    auto& services = exchange.services;
    ROOTSTOCK_TRY(form, read_form(exchange.request, "file", *services.blobs));
    ROOTSTOCK_TRY(wanted, read_fields(std::move(form.fields)));
    if (form.file->blob.bytes() == 0) return fail(ErrorCode::invalid_argument, "the file is empty", "file");
    auto file = new_file(services, exchange.caller.tenant, form.file->filename, wanted.purpose, wanted.seconds);
    ROOTSTOCK_TRY(facts, services.blobs->keep(std::move(form.file->blob), blob_key(file)));
    file.bytes = static_cast<std::int64_t>(facts.bytes);
    file.sha256 = facts.sha256;
    return file;
}

Task<Result<http::Response>> create_file(Exchange& exchange) {
    auto& services = exchange.services;
    auto file = co_await run_on(services.disk, [&exchange] { return take_in(exchange); });
    if (!file) co_return fail(file.error());
    auto added = co_await services.write([&](store::Session& session) {
        return catalog::add_file(session, *file, services.settings.files.tenant_bytes_max);
    });
    if (!added) {
        services.blobs->remove(blob_key(*file));
        co_return fail(added.error());
    }
    co_return json_response(to_json(*file));
}

Result<catalog::File> find(const Exchange& exchange) {
    auto& services = exchange.services;
    FileId id(std::string(exchange.request.path_value("id")));
    return services.records->read([&](store::Session& session) {
        return catalog::find_file(session, exchange.caller.tenant, id, services.clock.now());
    });
}

Task<Result<http::Response>> get_file(Exchange& exchange) {
    auto file = find(exchange);
    if (!file) co_return fail(file.error());
    co_return json_response(to_json(*file));
}

Task<Result<http::Response>> get_content(Exchange& exchange) {
    auto file = find(exchange);
    if (!file) co_return fail(file.error());
    auto body = http::BodyFile::open(exchange.services.blobs->path(blob_key(*file)));
    if (!body)
        co_return fail(ErrorCode::corrupt, "the bytes of " + file->id.text() + " are gone: " + body.error().message);
    http::Response response;
    response.content_type = "application/octet-stream";
    response.body_file = std::make_shared<const http::BodyFile>(std::move(*body));
    co_return response;
}

Task<Result<http::Response>> list_files(Exchange& exchange) {
    auto& services = exchange.services;
    auto fields = TextFields::of_query(exchange.request);
    auto purpose = fields.text("purpose");
    auto query = fields.page(page_max, page_max, true);
    if (auto fine = fields.finish(); !fine) co_return fail(fine.error());
    auto page = services.records->read([&](store::Session& session) -> Result<catalog::Page<catalog::File>> {
        return catalog::list_files(session, exchange.caller.tenant, purpose, query, services.clock.now());
    });
    if (!page) co_return fail(page.error());
    co_return json_response(list_of(*page, [](const catalog::File& file) { return to_json(file); }));
}

Task<Result<http::Response>> delete_file(Exchange& exchange) {
    auto& services = exchange.services;
    FileId id(std::string(exchange.request.path_value("id")));
    auto removed = co_await services.write(
        [&](store::Session& session) { return catalog::remove_file(session, exchange.caller.tenant, id); });
    if (!removed) co_return fail(removed.error());
    services.blobs->remove({exchange.caller.tenant.text(), id.text()});
    co_return json_response(json::object{{"id", id.text()}, {"object", "file"}, {"deleted", true}});
}

}  // namespace

bool is_purpose(std::string_view purpose) {
    for (std::string_view known : {"assistants", "batch", "fine-tune", "vision", "user_data", "evals"})
        if (purpose == known) return true;
    return false;
}

catalog::File new_file(const Services& services, const TenantId& tenant, std::string filename, std::string purpose,
                       std::optional<std::int64_t> seconds) {
    catalog::File file;
    file.created = services.clock.now();
    file.id = mint<FileTag>(file.created);
    file.tenant = tenant;
    file.filename = std::move(filename);
    file.purpose = std::move(purpose);
    if (seconds) file.expires = Timestamp{file.created.micros + *seconds * 1'000'000};
    return file;
}

json::object to_json(const catalog::File& file) {
    json::object object{{"id", file.id.text()},      {"object", "file"},
                        {"bytes", file.bytes},       {"created_at", unix_time(file.created)},
                        {"filename", file.filename}, {"purpose", file.purpose},
                        {"status", "processed"}};
    if (file.expires) object["expires_at"] = unix_time(*file.expires);
    return object;
}

void add_files_routes(Routes& routes) {
    routes.add("POST", "/v1/files", {Access::key, Body::form, create_file});
    routes.add("GET", "/v1/files", {Access::key, Body::none, list_files});
    routes.add("GET", "/v1/files/{id}", {Access::key, Body::none, get_file});
    routes.add("DELETE", "/v1/files/{id}", {Access::key, Body::none, delete_file});
    routes.add("GET", "/v1/files/{id}/content", {Access::key, Body::none, get_content});
}

}  // namespace rootstock
