#pragma once
// The events of base/job.h: one JSON object a line, on standard output and kept in events.jsonl.

#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/base.h"

namespace rootstock {

class EventLog {
public:
    // Appends to folder/events.jsonl.
    static Result<EventLog> open(const std::filesystem::path& folder);

    // Adds "event": kind in front and flushes both. False when nobody reads standard output any more.
    bool emit(const char* kind, const json::object& fields);

private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    explicit EventLog(std::FILE* kept) : kept_(kept) {}

    std::unique_ptr<std::FILE, Close> kept_;
};

// The `error` event alone, for faults before there is a log.
void print_error_event(const Error& error);

}  // namespace rootstock
