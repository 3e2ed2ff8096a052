#include "app/wiring/reload.h"

#include <csignal>

namespace rootstock {
namespace {

const std::string& value_of(const std::vector<ToldSetting>& told, const std::string& name) {
    for (const auto& setting : told)
        if (setting.name == name) return setting.value;
    ROOTSTOCK_CHECK(false, "a setting is told once and not the next time");
}

std::string or_nothing(const std::string& value) { return value.empty() ? "(nothing)" : value; }

// "log-level: info -> debug; ..." of the settings that are live, or of the others.
std::string changes(const std::vector<ToldSetting>& before, const std::vector<ToldSetting>& after, bool live) {
    std::string sentence;
    for (const auto& setting : after) {
        const auto& old = value_of(before, setting.name);
        if (setting.live != live || old == setting.value) continue;
        sentence.append(sentence.empty() ? "" : "; ").append(setting.name);
        sentence.append(": ").append(or_nothing(old)).append(" -> ").append(or_nothing(setting.value));
    }
    return sentence;
}

}  // namespace

Result<std::shared_ptr<const http::Tls>> load_certificate(const http::TlsFiles& files) {
    ROOTSTOCK_TRY(tls, http::Tls::load(files));
    if (tls->expired())
        spdlog::warn("{} has expired ({}): clients will refuse it", files.certificate.string(), tls->valid_until());
    return tls;
}

void set_log_level(const std::string& level) { spdlog::set_level(spdlog::level::from_str(level)); }

Reloader::Reloader(boost::asio::io_context& io, Services& services, http::Server& server, SettingsSource source)
    : signals_(io, SIGHUP), services_(services), server_(server), source_(std::move(source)) {
    wait();
}

void Reloader::wait() {
    signals_.async_wait([this](boost::system::error_code cancelled, int) {
        if (cancelled) return;
        if (auto done = reload(); !done)
            spdlog::error("settings are unchanged, what was to be read is faulty: {}", done.error().message);
        wait();
    });
}

Result<void> Reloader::reload() {
    ROOTSTOCK_TRY(fresh, source_());
    const bool secure = services_.settings.tls.has_value();
    if (fresh.tls.has_value() != secure)
        return fail(ErrorCode::conflict, "TLS is switched on and off by a restart only", "tls-certificate");
    std::shared_ptr<const http::Tls> tls;
    if (secure) {
        ROOTSTOCK_TRY(loaded, load_certificate(*fresh.tls));
        tls = std::move(loaded);
    }
    const auto changed = changes(services_.settings.told, fresh.told, true);
    const auto waiting = changes(services_.settings.told, fresh.told, false);
    server_.use_tls(tls);
    apply(std::move(fresh));
    if (tls) spdlog::info("certificate read, valid until {}", tls->valid_until());
    spdlog::info("settings read: {}", changed.empty() ? "nothing changed" : changed);
    if (!waiting.empty()) spdlog::warn("these need a restart: {}", waiting);
    return {};
}

// The live ones, one by one; what is not named here stays as it was when the server started (serve_options.cpp says
// which is which). Others remember what is told, so that the next reading tells what is new against this one; those
// that wait for a restart go on being told.
void Reloader::apply(ServeSettings fresh) {
    auto& now = services_.settings;
    now.tls = fresh.tls;
    now.answers = std::move(fresh.answers);
    now.front = fresh.front;
    now.key_limits = fresh.key_limits;
    now.http.body_bytes_max = fresh.http.body_bytes_max;
    now.http.connections_max = fresh.http.connections_max;
    now.files.form_bytes_max = fresh.files.form_bytes_max;
    now.predict.inputs_max = fresh.predict.inputs_max;
    now.predict.time_max = fresh.predict.time_max;
    now.generate.tokens_max = fresh.generate.tokens_max;
    now.generate.time_max = fresh.generate.time_max;
    for (auto& setting : now.told)
        if (setting.live) setting.value = value_of(fresh.told, setting.name);
    server_.set_limits(now.http);
    services_.predict->set_limits(now.predict);
    services_.reading->set_limits(now.predict);
    services_.scoring->set_limits(now.predict);
    services_.generate->set_limits(now.generate);
    now.log_level = fresh.log_level;
    set_log_level(now.log_level);
}

}  // namespace rootstock
