#include "flow/fetch/remote_file.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

namespace rootstock {
namespace fs = std::filesystem;
namespace {

constexpr double wait_seconds_max = 30;

std::optional<std::uint64_t> parse_count(std::string_view text) {
    std::uint64_t value = 0;
    auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_hex(const std::string& text, std::size_t length) {
    return text.size() == length &&
           std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) || (c >= 'a' && c <= 'f'); });
}

std::uint64_t size_of(const fs::path& file) {
    std::error_code code;
    auto bytes = fs::file_size(file, code);
    return code ? 0 : bytes;
}

// "bytes 100-199/200": where the piece starts.
std::optional<std::uint64_t> start_of_range(const std::string& header) {
    auto blank = header.find(' '), dash = header.find('-');
    if (blank == std::string::npos || dash == std::string::npos || dash < blank) return std::nullopt;
    return parse_count(std::string_view(header).substr(blank + 1, dash - blank - 1));
}

class Download {
public:
    Download(http::Web& web, const HubSettings& settings, const std::string& url, RemoteFile file, const fs::path& to,
             const std::function<void(std::uint64_t)>& on_size)
        : web_(web), settings_(settings), url_(url), file_(std::move(file)), to_(to), on_size_(on_size) {
        part_ = to_;
        part_ += ".part";
        etag_ = to_;
        etag_ += ".etag";
    }

    Result<void> run() {
        std::uint64_t before = 0;
        auto progressed = [&] {
            bool more = size_of(part_) > before;
            before = size_of(part_);
            return more;
        };
        ROOTSTOCK_CHECKED(with_patience(
            settings_, [&] { return attempt(); }, progressed));
        return prove();
    }

private:
    // Asks for what is missing. Success: as many bytes are here as there should be.
    Result<void> attempt() {
        auto here = start();
        if (file_.bytes && here == *file_.bytes) return {};
        http::WebRequest request{url_, settings_.token, {}};
        if (auto etag = read_file(etag_, 4096); here > 0 && etag)
            request.headers = {"Range: bytes=" + std::to_string(here) + "-", "If-Range: \"" + *etag + "\""};
        std::ofstream out;
        http::WebHooks hooks;
        hooks.on_answer = [&](const http::WebAnswer& answer) { return begin(answer, here, out); };
        hooks.on_bytes = [&](std::string_view piece) { return append(piece, here, out); };
        auto answer = web_.get(request, hooks);
        out.close();
        if (!answer) return fail(answer.error());
        if (answer->status == 416) {
            forget();
            return fail(ErrorCode::unavailable, file_.path + ": the Hub does not know the range asked for");
        }
        if (answer->status / 100 != 2) return fail(hub_error(*answer, file_.path, settings_));
        if (file_.bytes && size_of(part_) < *file_.bytes)
            return fail(ErrorCode::unavailable, file_.path + " broke off after " + format_bytes(size_of(part_)));
        return {};
    }

    // How many bytes of an earlier attempt can be built on.
    std::uint64_t start() {
        std::error_code code;
        auto here = size_of(part_);
        if ((here > 0 && !fs::exists(etag_, code)) || (file_.bytes && here > *file_.bytes)) forget();
        return size_of(part_);
    }

    void forget() {
        std::error_code code;
        fs::remove(part_, code);
        fs::remove(etag_, code);
    }

    Result<void> begin(const http::WebAnswer& answer, std::uint64_t& here, std::ofstream& out) {
        if (answer.status / 100 != 2) return {};
        bool goes_on = answer.status == 206 && start_of_range(answer.header("content-range")) == here;
        if (answer.status == 206 && !goes_on)
            return fail(ErrorCode::unavailable, file_.path + ": the Hub sent another range than asked for");
        if (!goes_on) here = 0;
        ROOTSTOCK_CHECKED(learn(answer, here));
        if (!answer.final_etag.empty()) ROOTSTOCK_CHECKED(write_file_atomically(etag_, answer.final_etag));
        out.open(part_, std::ios::binary | (goes_on ? std::ios::app : std::ios::trunc));
        if (!out) return cannot_write();
        return {};
    }

    // Size and digest from the headers, where the list had none; a contradiction is an error.
    Result<void> learn(const http::WebAnswer& answer, std::uint64_t here) {
        auto linked = parse_count(answer.header("x-linked-size"));
        auto length = parse_count(answer.header("content-length"));
        auto bytes = linked ? linked : length ? std::optional(here + *length) : std::nullopt;
        if (file_.bytes && bytes && *bytes != *file_.bytes)
            return fail(ErrorCode::corrupt, file_.path + " has " + std::to_string(*bytes) +
                                                " bytes where the Hub's list says " + std::to_string(*file_.bytes));
        if (!file_.bytes) file_.bytes = bytes;
        auto linked_etag = http::plain_etag(answer.header("x-linked-etag"));
        auto etag = linked_etag.empty() ? answer.final_etag : linked_etag;
        if (file_.sha256.empty() && file_.git_blob.empty()) {
            if (is_hex(etag, 64)) file_.sha256 = etag;
            if (is_hex(etag, 40)) file_.git_blob = etag;
        }
        return {};
    }

    Result<void> append(std::string_view piece, std::uint64_t& here, std::ofstream& out) {
        here += piece.size();
        if (file_.bytes && here > *file_.bytes)
            return fail(ErrorCode::corrupt,
                        file_.path + " is longer than the Hub says (" + std::to_string(*file_.bytes) + " bytes)");
        if (!out.write(piece.data(), static_cast<std::streamsize>(piece.size()))) return cannot_write();
        on_size_(here);
        return {};
    }

    std::unexpected<Error> cannot_write() const {
        return fail(ErrorCode::io, "cannot write " + part_.string() + ": " + std::strerror(errno) +
                                       "; free some space, or use another home folder with --home");
    }

    Result<void> prove() {
        if (file_.sha256.empty() && file_.git_blob.empty())
            return fail(ErrorCode::corrupt, file_.path + ": the Hub gives no digest to check it by; refused");
        std::string expected = file_.sha256.empty() ? file_.git_blob : file_.sha256;
        ROOTSTOCK_TRY(found, file_.sha256.empty() ? git_blob_id(part_) : sha256_file(part_));
        if (found != expected) {
            forget();
            on_size_(0);
            return fail(ErrorCode::corrupt, file_.path + " has digest " + found + " where the Hub says " + expected, {},
                        "digest");
        }
        std::error_code code;
        fs::rename(part_, to_, code);
        if (code) return fail(ErrorCode::io, "cannot write " + to_.string() + ": " + code.message());
        fs::remove(etag_, code);
        return {};
    }

    http::Web& web_;
    const HubSettings& settings_;
    const std::string& url_;
    RemoteFile file_;
    const fs::path& to_;
    const std::function<void(std::uint64_t)>& on_size_;
    fs::path part_, etag_;
};

}  // namespace

Result<void> fetch_remote_file(http::Web& web, const HubSettings& settings, const std::string& url, RemoteFile file,
                               const fs::path& to, const std::function<void(std::uint64_t)>& on_size) {
    std::error_code code;
    fs::create_directories(to.parent_path(), code);
    if (fs::exists(to, code)) {  // proven by an earlier run
        on_size(size_of(to));
        return {};
    }
    auto outcome = Download(web, settings, url, file, to, on_size).run();
    if (!outcome &&
        outcome.error().reason == "digest")  // once more from the beginning: the earlier part may be at fault
        outcome = Download(web, settings, url, file, to, on_size).run();
    return outcome;
}

Result<void> with_patience(const HubSettings& settings, const std::function<Result<void>()>& attempt,
                           const std::function<bool()>& progressed) {
    double wait = settings.wait_seconds;
    for (int failures = 1;; ++failures) {
        auto outcome = attempt();
        if (outcome || outcome.error().code != ErrorCode::unavailable) return outcome;
        if (progressed()) {
            failures = 1;
            wait = settings.wait_seconds;
        }
        if (failures >= settings.attempts) return outcome;
        std::this_thread::sleep_for(std::chrono::duration<double>(wait));
        wait = std::min(2 * wait, wait_seconds_max);
    }
}

Error hub_error(const http::WebAnswer& answer, const std::string& what, const HubSettings& settings) {
    auto said = answer.header("x-error-message");
    std::string detail = said.empty() ? "" : " (" + said + ")";
    std::string token = settings.token.empty()
                            ? "set HF_TOKEN to a token that may read it"
                            : "HF_TOKEN may not read it: accept the model's terms, or use another token";
    switch (answer.status) {
        case 401:  // the Hub answers so for what does not exist, too, to those without a token
            return {
                ErrorCode::unauthenticated,
                "the Hub does not show " + what + detail + ": check the name, or if it is private or gated, " + token,
                "source",
                {}};
        case 403:
            return {ErrorCode::permission_denied, "the Hub refuses " + what + detail + ": " + token, "source", {}};
        case 404:
            return {ErrorCode::not_found,
                    "the Hub knows no " + what + detail + ": check the name and revision",
                    "source",
                    {}};
        default:
            return {answer.status == 429 || answer.status >= 500 ? ErrorCode::unavailable : ErrorCode::invalid_argument,
                    "the Hub answers " + std::to_string(answer.status) + " for " + what + detail,
                    "source",
                    {}};
    }
}

Result<std::string> git_blob_id(const fs::path& file) {
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::ifstream in(file, std::ios::binary);
    if (!in) return fail(ErrorCode::io, "cannot read " + file.string() + ": " + std::strerror(errno));
    std::string head = "blob " + std::to_string(size_of(file)) + '\0';
    EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr);
    EVP_DigestUpdate(context.get(), head.data(), head.size());
    std::vector<char> piece(std::size_t{1} << 16);
    while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())), in.gcount() > 0)
        EVP_DigestUpdate(context.get(), piece.data(), static_cast<std::size_t>(in.gcount()));
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_DigestFinal_ex(context.get(), digest.data(), &length);
    std::string hex;
    for (unsigned i = 0; i < length; ++i)
        hex += {"0123456789abcdef"[digest[i] >> 4], "0123456789abcdef"[digest[i] & 15]};
    return hex;
}

}  // namespace rootstock
