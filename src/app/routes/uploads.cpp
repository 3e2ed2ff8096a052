// /v1/uploads: a large file in parts, in OpenAI's shapes. Parts may come in any order and at the same time; the order
// is told at the end.

#include <algorithm>
#include <array>
#include <fstream>

#include "app/routes/files.h"
#include "app/routes/form.h"
#include "app/routes/routes.h"

namespace rootstock {
namespace {

constexpr std::int64_t hour = 3'600'000'000;
constexpr std::size_t parts_max = 10'000;
constexpr std::size_t names_max = 255;

json::object to_json(const catalog::Upload& upload) {
    return {{"id", upload.id.text()},
            {"object", "upload"},
            {"bytes", upload.bytes},
            {"created_at", unix_time(upload.created)},
            {"filename", upload.filename},
            {"purpose", upload.purpose},
            {"status", catalog::name(upload.state)},
            {"expires_at", unix_time(upload.expires)},
            {"file", nullptr}};
}

json::object to_json(const catalog::UploadPart& part) {
    return {{"id", part.id.text()},
            {"object", "upload.part"},
            {"created_at", unix_time(part.created)},
            {"upload_id", part.upload.text()}};
}

bool is_plain(const std::string& text) {
    return !text.empty() && text.size() <= names_max &&
           std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<catalog::Upload> read_create(const Exchange& exchange) {
    catalog::Upload upload;
    JsonFields fields(exchange.body, "the request body");
    upload.filename = fields.required_string("filename");
    upload.purpose = fields.required_string("purpose");
    upload.bytes = fields.required_int("bytes", 1, exchange.services.settings.files.upload_bytes_max);
    upload.mime_type = fields.required_string("mime_type");
    upload.file_seconds = read_expiry(fields, "expires_after");
    if (!is_plain(upload.filename)) fields.fault("filename", "must have 1 to 255 bytes and no control characters");
    if (!is_plain(upload.mime_type)) fields.fault("mime_type", "must have 1 to 255 bytes and no control characters");
    if (!is_purpose(upload.purpose)) fields.fault("purpose", purposes_sentence);
    ROOTSTOCK_CHECKED(fields.finish());
    upload.created = exchange.services.clock.now();
    upload.id = mint<UploadTag>(upload.created);
    upload.tenant = exchange.caller.tenant;
    upload.expires = Timestamp{upload.created.micros + hour};
    return upload;
}

Task<Result<http::Response>> create_upload(Exchange& exchange) {
    auto upload = read_create(exchange);
    if (!upload) co_return fail(upload.error());
    auto added = co_await exchange.services.write([&](store::Session& session) -> Result<void> {
        catalog::add_upload(session, *upload);
        return {};
    });
    if (!added) co_return fail(added.error());
    co_return json_response(to_json(*upload));
}

Result<catalog::Upload> find(const Exchange& exchange) {
    UploadId id(std::string(exchange.request.path_value("id")));
    return exchange.services.records->read([&](store::Session& session) {
        return catalog::find_upload(session, exchange.caller.tenant, id, exchange.services.clock.now());
    });
}

Result<catalog::UploadPart> take_part(const Exchange& exchange, const catalog::Upload& upload) {
    auto& services = exchange.services;
    ROOTSTOCK_TRY(form, read_form(exchange.request, "data", *services.blobs));
    ROOTSTOCK_CHECKED(TextFields(std::move(form.fields)).finish());
    if (form.file->blob.bytes() == 0) return fail(ErrorCode::invalid_argument, "the part is empty", "data");
    auto now = services.clock.now();
    catalog::UploadPart part{mint<PartTag>(now), upload.id, static_cast<std::int64_t>(form.file->blob.bytes()), now};
    ROOTSTOCK_CHECKED(services.blobs->keep(std::move(form.file->blob), {upload.tenant.text(), part.id.text()}));
    return part;
}

Task<Result<http::Response>> add_part(Exchange& exchange) {
    auto& services = exchange.services;
    auto upload = find(exchange);
    if (!upload) co_return fail(upload.error());
    auto part = co_await run_on(services.disk, [&] { return take_part(exchange, *upload); });
    if (!part) co_return fail(part.error());
    auto added = co_await services.write([&](store::Session& session) {
        return catalog::add_part(session, *upload, *part, services.settings.files.tenant_bytes_max, part->created);
    });
    if (!added) {
        services.blobs->remove({upload->tenant.text(), part->id.text()});
        co_return fail(added.error());
    }
    co_return json_response(to_json(*part));
}

struct Completion {
    std::vector<std::string> parts;
    std::string md5;  // empty: not to be checked
};

Result<Completion> read_complete(const Exchange& exchange) {
    Completion completion;
    JsonFields fields(exchange.body, "the request body");
    completion.parts = fields.optional_strings("part_ids");
    completion.md5 = nullable_string(fields, "md5");
    std::ranges::transform(completion.md5, completion.md5.begin(),
                           [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + ('a' - 'A')) : c; });
    if (completion.parts.empty() || completion.parts.size() > parts_max)
        fields.fault("part_ids", "must be a list of 1 to 10000 parts");
    ROOTSTOCK_CHECKED(fields.finish());
    return completion;
}

Result<void> append_blob(store::NewBlob& to, const std::filesystem::path& from) {
    ROOTSTOCK_TRY(body, http::BodyFile::open(from));
    std::string piece(std::size_t{1} << 18, '\0');
    for (std::uint64_t at = 0; at < body.size();) {
        ROOTSTOCK_TRY(got, body.read_at(at, piece));
        if (got == 0) return fail(ErrorCode::corrupt, "a part is shorter than it was");
        at += got;
        ROOTSTOCK_CHECKED(to.append(std::string_view(piece).substr(0, got)));
    }
    return {};
}

// The parts one behind the other, as one blob under the file's key.
Result<catalog::File> join(const Services& services, const catalog::Upload& upload, const Completion& completion,
                           const std::vector<catalog::UploadPart>& parts) {
    ROOTSTOCK_TRY(whole, services.blobs->begin());
    std::vector<std::string> used;
    for (const auto& id : completion.parts) {
        bool known = std::ranges::any_of(parts, [&](const auto& part) { return part.id.text() == id; });
        if (!known || std::ranges::find(used, id) != used.end())
            return fail(ErrorCode::invalid_argument, "'" + id + "' is no part of this upload, or is named twice",
                        "part_ids");
        used.push_back(id);
        ROOTSTOCK_CHECKED(append_blob(whole, services.blobs->path({upload.tenant.text(), id})));
    }
    if (static_cast<std::int64_t>(whole.bytes()) != upload.bytes)
        return fail(ErrorCode::invalid_argument,
                    "the parts have " + std::to_string(whole.bytes()) + " bytes, announced were " +
                        std::to_string(upload.bytes),
                    "part_ids");
    auto file = new_file(services, upload.tenant, upload.filename, upload.purpose, upload.file_seconds);
    ROOTSTOCK_TRY(facts, services.blobs->keep(std::move(whole), blob_key(file)));
    file.bytes = static_cast<std::int64_t>(facts.bytes);
    file.sha256 = facts.sha256;
    if (completion.md5.empty() || completion.md5 == facts.md5) return file;
    services.blobs->remove(blob_key(file));
    return fail(ErrorCode::invalid_argument,
                "the bytes that arrived have the MD5 " + facts.md5 + ", not " + completion.md5, "md5");
}

void remove_parts(const Services& services, const catalog::Upload& upload,
                  const std::vector<catalog::UploadPart>& parts) {
    for (const auto& part : parts) services.blobs->remove({upload.tenant.text(), part.id.text()});
}

Result<std::vector<catalog::UploadPart>> parts_of(const Services& services, const catalog::Upload& upload) {
    return services.records->read([&](store::Session& session) -> Result<std::vector<catalog::UploadPart>> {
        return catalog::parts_of(session, upload.tenant, upload.id);
    });
}

Task<Result<http::Response>> complete_upload(Exchange& exchange) {
    auto& services = exchange.services;
    auto completion = read_complete(exchange);
    if (!completion) co_return fail(completion.error());
    auto upload = find(exchange);
    if (!upload) co_return fail(upload.error());
    if (upload->state != catalog::UploadState::pending)
        co_return fail(ErrorCode::conflict, "the upload " + upload->id.text() + " is " + catalog::name(upload->state),
                       "upload_id", "upload_state");
    auto parts = parts_of(services, *upload);
    if (!parts) co_return fail(parts.error());
    auto file = co_await run_on(services.disk, [&] { return join(services, *upload, *completion, *parts); });
    if (!file) co_return fail(file.error());
    auto done = co_await services.write([&](store::Session& session) {
        return catalog::complete_upload(session, *upload, *file, services.settings.files.tenant_bytes_max,
                                        file->created);
    });
    if (!done) {
        services.blobs->remove(blob_key(*file));
        co_return fail(done.error());
    }
    remove_parts(services, *upload, *parts);
    upload->state = catalog::UploadState::completed;
    auto answer = to_json(*upload);
    answer["file"] = rootstock::to_json(*file);
    co_return json_response(answer);
}

Task<Result<http::Response>> cancel_upload(Exchange& exchange) {
    auto& services = exchange.services;
    auto upload = find(exchange);
    if (!upload) co_return fail(upload.error());
    auto parts = parts_of(services, *upload);
    if (!parts) co_return fail(parts.error());
    auto done = co_await services.write(
        [&](store::Session& session) { return catalog::cancel_upload(session, *upload, services.clock.now()); });
    if (!done) co_return fail(done.error());
    remove_parts(services, *upload, *parts);
    upload->state = catalog::UploadState::cancelled;
    co_return json_response(to_json(*upload));
}

}  // namespace

void add_uploads_routes(Routes& routes) {
    routes.add("POST", "/v1/uploads", {Access::key, Body::json, create_upload});
    routes.add("POST", "/v1/uploads/{id}/parts", {Access::key, Body::form, add_part});
    routes.add("POST", "/v1/uploads/{id}/complete", {Access::key, Body::json, complete_upload});
    routes.add("POST", "/v1/uploads/{id}/cancel", {Access::key, Body::none, cancel_upload});
}

}  // namespace rootstock
