#include "flow/deliver/smtp.h"

#include <curl/curl.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "http/http.h"

namespace rootstock {
namespace {

constexpr std::size_t line_max = 76;

bool is_loopback(const std::string& url) {
    const auto host = http::host_of(url);
    return host == "127.0.0.1" || host == "[::1]";
}

// In pieces of whole characters, so that each encoded word stands by itself.
std::string encoded_subject(std::string_view text) {
    std::string line;
    while (!text.empty()) {
        std::size_t size = std::min<std::size_t>(text.size(), 39);
        while (size < text.size() && size > 1 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
        line += (line.empty() ? "" : "\r\n ") + ("=?UTF-8?B?" + outbox::base64(text.substr(0, size)) + "?=");
        text.remove_prefix(size);
    }
    return line;
}

std::string date_of(Timestamp now) {
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t seconds = now.micros / 1'000'000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[64];
    std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[parts.tm_wday], parts.tm_mday,
                  months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
    return text;
}

struct Reading {
    std::string_view rest;
};

std::size_t give(char* to, std::size_t size, std::size_t count, void* pointer) {
    auto& reading = *static_cast<Reading*>(pointer);
    const auto piece = reading.rest.substr(0, size * count);
    std::ranges::copy(piece, to);
    reading.rest.remove_prefix(piece.size());
    return piece.size();
}

std::size_t ignore(char*, std::size_t size, std::size_t count, void*) { return size * count; }

bool is_plain_address(const std::string& text) {
    return text.size() <= 254 && text.find('@') != std::string::npos &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~' && c != '<' && c != '>'; });
}

}  // namespace

Result<void> check_smtp(const SmtpSettings& settings) {
    if (settings.url.empty()) return {};
    if (!settings.url.starts_with("smtp://") && !settings.url.starts_with("smtps://"))
        return fail(ErrorCode::invalid_argument, "'smtp-url' begins with smtp:// or smtps://", "smtp-url");
    if (!is_plain_address(settings.from))
        return fail(ErrorCode::invalid_argument, "'smtp-from' must be the address that letters come from", "smtp-from");
    return {};
}

std::string message_of(const SmtpSettings& settings, const outbox::Letter& letter, const std::string& id,
                       Timestamp now) {
    const auto domain = settings.from.substr(settings.from.find('@') + 1);
    std::string text = "From: <" + settings.from + ">\r\nTo: <" + letter.to +
                       ">\r\nSubject: " + encoded_subject(letter.subject) + "\r\nDate: " + date_of(now) +
                       "\r\nMessage-ID: <" + id + "@" + domain +
                       ">\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n\r\n";
    const auto body = outbox::base64(letter.text);
    for (std::size_t i = 0; i < body.size(); i += line_max) text += body.substr(i, line_max) + "\r\n";
    return text;
}

SmtpEnd send_letter(const SmtpSettings& settings, const outbox::Letter& letter, const std::string& id, Timestamp now) {
    if (!is_plain_address(letter.to)) return {outbox::LetterFate::refused, "no address"};
    std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
    ROOTSTOCK_CHECK(curl != nullptr, "libcurl gives a handle");
    const auto message = message_of(settings, letter, id, now);
    Reading reading{message};
    std::unique_ptr<curl_slist, void (*)(curl_slist*)> to(curl_slist_append(nullptr, ("<" + letter.to + ">").c_str()),
                                                          curl_slist_free_all);
    curl_easy_setopt(curl.get(), CURLOPT_URL, settings.url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, settings.seconds_max);
    curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
    curl_easy_setopt(curl.get(), CURLOPT_USE_SSL,
                     static_cast<long>(is_loopback(settings.url) ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    if (!settings.user.empty()) curl_easy_setopt(curl.get(), CURLOPT_USERNAME, settings.user.c_str());
    if (!settings.user.empty()) curl_easy_setopt(curl.get(), CURLOPT_PASSWORD, settings.password.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_MAIL_FROM, ("<" + settings.from + ">").c_str());
    curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT, to.get());
    curl_easy_setopt(curl.get(), CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_READFUNCTION, give);
    curl_easy_setopt(curl.get(), CURLOPT_READDATA, &reading);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, ignore);
    const auto outcome = curl_easy_perform(curl.get());
    if (outcome == CURLE_OK) return {outbox::LetterFate::sent, ""};
    long code = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &code);
    const bool hopeless = code == 501 || (code >= 550 && code <= 554);  // of this mailbox, whatever we try
    return {hopeless ? outbox::LetterFate::refused : outbox::LetterFate::later,
            std::string(curl_easy_strerror(outcome)) + (code > 0 ? " (" + std::to_string(code) + ")" : "")};
}

}  // namespace rootstock
