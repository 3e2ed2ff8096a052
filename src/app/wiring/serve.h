#pragma once
// A server's life: open, listen, answer until told to stop, drain.

#include <functional>

#include "app/wiring/services.h"

namespace rootstock {

struct Listening {
    struct Base {
        std::string name;
        std::string description;  // what the executor found: precision, instructions, threads
    };
    std::string address;  // HOST:PORT, with the port really taken
    std::vector<Base> bases;
    double seconds = 0;             // from the call to here
    std::string certificate_until;  // under TLS: its last instant
};

// Runs until SIGTERM or SIGINT: accepts no more, finishes what is in flight, writes what is due, returns. A second
// signal ends it at once. SIGHUP reads the settings and the certificate anew (reload.h). `listening` is called when the
// first request can be answered. Errors before that: those of open_services, a port in use, another server on the same
// home (conflict).
Result<void> serve(const SettingsSource& source, const std::function<void(const Listening&)>& listening);

}  // namespace rootstock
