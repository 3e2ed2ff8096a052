#include "learn/events.h"

namespace rootstock {

namespace {

bool write_line(std::FILE* file, const std::string& line) {
    return std::fwrite(line.data(), 1, line.size(), file) == line.size() && std::fflush(file) == 0;
}

std::string line_of(const char* kind, const json::object& fields) {
    json::object event{{"event", kind}};
    for (const auto& field : fields) event.insert_or_assign(field.key(), field.value());
    return json::serialize(event) + "\n";
}

}  // namespace

Result<EventLog> EventLog::open(const std::filesystem::path& folder) {
    auto path = folder / "events.jsonl";
    std::FILE* file = std::fopen(path.c_str(), "a");
    if (!file) return fail(ErrorCode::io, "cannot write " + path.string() + ": is the job folder writable?");
    return EventLog(file);
}

bool EventLog::emit(const char* kind, const json::object& fields) {
    auto line = line_of(kind, fields);
    write_line(kept_.get(), line);
    return write_line(stdout, line);
}

void print_error_event(const Error& error) {
    write_line(stdout, line_of("error", {{"code", name(error.code)}, {"message", error.message}}));
}

}  // namespace rootstock
