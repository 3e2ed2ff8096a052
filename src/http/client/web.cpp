#include "http/client/web.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

namespace rootstock::http {
namespace {

constexpr std::size_t error_body_max = 4096;
constexpr std::array first_hop_decides = {"x-linked-size", "x-linked-etag", "x-repo-commit", "x-error-message"};

struct Url {
    explicit Url(const std::string& text) : handle(curl_url(), curl_url_cleanup) {
        sound = curl_url_set(handle.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
    }
    std::string part(CURLUPart which) const {
        char* text = nullptr;
        if (!sound || curl_url_get(handle.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
        std::string copy = text;
        curl_free(text);
        return copy;
    }
    std::unique_ptr<CURLU, void (*)(CURLU*)> handle;
    bool sound = false;
};

// One hop's transfer, as the callbacks of libcurl see it.
struct Transfer {
    CURL* curl;
    WebAnswer& answer;
    const WebHooks& hooks;
    const WebRules& rules;
    std::map<std::string, std::string> hop_headers{};
    bool announced = false;
    bool address_refused = false;
    std::optional<Error> error{};

    bool is_redirect() const {
        return rules.redirects_max > 0 && answer.status >= 300 && answer.status < 400 &&
               hop_headers.contains("location");
    }
    bool keep(Result<void> outcome) {
        if (!outcome) error = std::move(outcome.error());
        return !error;
    }
    void merge_headers() {
        auto is_kept = [](const auto& header) {
            return std::ranges::find(first_hop_decides, header.first) != first_hop_decides.end();
        };
        std::erase_if(answer.headers, [&](const auto& header) { return !is_kept(header); });
        answer.headers.insert(hop_headers.begin(), hop_headers.end());  // leaves those that are there
        answer.final_etag = hop_headers.contains("etag") ? plain_etag(hop_headers["etag"]) : "";
    }
    bool announce() {
        if (announced) return true;
        announced = true;
        merge_headers();
        return is_redirect() || !hooks.on_answer || keep(hooks.on_answer(answer));
    }
};

std::string trimmed(std::string_view text) {
    auto first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
    return first == std::string_view::npos ? "" : std::string(text.substr(first, last - first + 1));
}

std::size_t take_header(char* bytes, std::size_t, std::size_t count, void* pointer) {
    auto& transfer = *static_cast<Transfer*>(pointer);
    std::string_view line(bytes, count);
    if (line.starts_with("HTTP/")) {  // also after "100 Continue" or a proxy's own answer: begin anew
        transfer.hop_headers.clear();
    } else if (auto colon = line.find(':'); colon != std::string_view::npos) {
        std::string name(line.substr(0, colon));
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
        transfer.hop_headers[name] = trimmed(line.substr(colon + 1));
    } else if (trimmed(line).empty()) {
        long status = 0;
        curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
        transfer.answer.status = static_cast<int>(status);
    }
    return count;
}

std::size_t take_body(char* bytes, std::size_t, std::size_t count, void* pointer) {
    auto& transfer = *static_cast<Transfer*>(pointer);
    if (!transfer.announce()) return CURL_WRITEFUNC_ERROR;
    std::string_view piece(bytes, count);
    if (transfer.answer.status / 100 == 2 || (transfer.hooks.any_status && !transfer.is_redirect())) {
        if (transfer.hooks.on_bytes && !transfer.keep(transfer.hooks.on_bytes(piece))) return CURL_WRITEFUNC_ERROR;
    } else if (transfer.answer.body.size() < error_body_max) {
        transfer.answer.body += piece.substr(0, error_body_max - transfer.answer.body.size());
    }
    return count;
}

std::string address_of(const sockaddr& socket) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* bytes = socket.sa_family == AF_INET
                            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(socket).sin_addr)
                            : static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(socket).sin6_addr);
    return ::inet_ntop(socket.sa_family, bytes, text.data(), text.size()) ? text.data() : "";
}

// libcurl asks for a socket to the address it is about to connect to: none is made to one that may not be reached.
curl_socket_t open_socket(void* pointer, curlsocktype, curl_sockaddr* to) {
    auto& transfer = *static_cast<Transfer*>(pointer);
    const bool known = to->family == AF_INET || to->family == AF_INET6;
    if (!known || !may_reach(transfer.rules.addresses, address_of(to->addr))) {
        transfer.address_refused = true;
        return CURL_SOCKET_BAD;
    }
    return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

using HeaderList = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

HeaderList header_list(const WebRequest& request, bool with_bearer) {
    curl_slist* list = curl_slist_append(nullptr, "Accept-Encoding: identity");
    if (request.post) list = curl_slist_append(list, "Expect:");  // the body goes along at once
    for (const auto& line : request.headers) list = curl_slist_append(list, line.c_str());
    if (with_bearer) list = curl_slist_append(list, ("Authorization: Bearer " + request.bearer).c_str());
    return {list, curl_slist_free_all};
}

void set_bounds(CURL* curl, const WebRules& rules, Transfer& transfer) {
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, rules.https_only ? "https" : "http,https");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(rules.connect_max.count()));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(rules.stalled_max.count()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(rules.total_max.count()));
    if (!rules.authorities.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, rules.authorities.c_str());
    if (!rules.addresses.public_only) return;
    curl_easy_setopt(curl, CURLOPT_PROXY, "");  // its address would be checked in place of the one that is meant
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &transfer);
}

void set_options(CURL* curl, const std::string& url, Transfer& transfer, curl_slist* headers) {
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "rootstock");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L * 1024);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    set_bounds(curl, transfer.rules, transfer);
}

void set_body(CURL* curl, const WebRequest& request) {
    if (!request.post) return;
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);  // on a used connection that drops, libcurl would send it again
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.post->size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.post->data());
}

// Did the transfer end before a byte of the request could have left? Only then is nothing in doubt.
bool never_left(CURLcode outcome) {
    return outcome == CURLE_COULDNT_RESOLVE_HOST || outcome == CURLE_COULDNT_RESOLVE_PROXY ||
           outcome == CURLE_COULDNT_CONNECT || outcome == CURLE_SSL_CONNECT_ERROR ||
           outcome == CURLE_PEER_FAILED_VERIFICATION || outcome == CURLE_SSL_CACERT_BADFILE ||
           outcome == CURLE_UNSUPPORTED_PROTOCOL || outcome == CURLE_URL_MALFORMAT;
}

// One hop. The address to go on with when it is a redirect, else "".
Result<std::string> hop(CURL* curl, const WebRequest& request, const std::string& url, const WebHooks& hooks,
                        const WebRules& rules, WebAnswer& answer) {
    Transfer transfer{curl, answer, hooks, rules};
    auto headers = header_list(request, !request.bearer.empty() && same_origin(url, request.url));
    set_options(curl, url, transfer, headers.get());
    set_body(curl, request);
    auto outcome = curl_easy_perform(curl);
    if (transfer.error) return fail(std::move(*transfer.error));
    if (outcome != CURLE_OK && transfer.address_refused)
        return fail(ErrorCode::permission_denied,
                    host_of(url) + " leads to an address that may not be reached; only public addresses may", "url",
                    "address_refused");
    if (outcome != CURLE_OK)
        return fail(ErrorCode::unavailable, host_of(url) + ": " + curl_easy_strerror(outcome), {},
                    never_left(outcome) ? "not_sent" : "");
    if (!transfer.announce()) return fail(std::move(*transfer.error));  // an answer without a body
    char* next = nullptr;
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &next);
    return transfer.is_redirect() && next ? std::string(next) : std::string();
}

}  // namespace

Web::Web(WebRules rules) : rules_(std::move(rules)) {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    ROOTSTOCK_CHECK(ready == CURLE_OK, "libcurl starts");
    handle_ = curl_easy_init();
    ROOTSTOCK_CHECK(handle_ != nullptr, "libcurl gives a handle");
}

Web::~Web() { curl_easy_cleanup(static_cast<CURL*>(handle_)); }

Result<WebAnswer> Web::get(const WebRequest& request, const WebHooks& hooks) {
    WebAnswer answer;
    std::string url = request.url;
    for (int hops = 0; hops <= rules_.redirects_max; ++hops) {
        ROOTSTOCK_TRY(next, hop(static_cast<CURL*>(handle_), request, url, hooks, rules_, answer));
        if (next.empty()) return answer;
        if (Url(url).part(CURLUPART_SCHEME) == "https" && Url(next).part(CURLUPART_SCHEME) != "https")
            return fail(ErrorCode::permission_denied, host_of(url) + " leads from https to http; refused");
        url = next;
    }
    return fail(ErrorCode::unavailable, host_of(request.url) + " leads in circles: more than " +
                                            std::to_string(rules_.redirects_max) + " redirects");
}

Result<WebAnswer> Web::send(const WebRequest& request, std::size_t bytes_max) {
    std::string body;
    WebHooks hooks;
    hooks.any_status = true;
    hooks.on_bytes = [&](std::string_view piece) -> Result<void> {
        if (piece.size() > bytes_max - body.size())
            return fail(ErrorCode::too_large,
                        host_of(request.url) + " answers with more than " + format_bytes(bytes_max) + "; refused");
        body += piece;
        return {};
    };
    ROOTSTOCK_TRY(answer, get(request, hooks));
    answer.body = std::move(body);
    return std::move(answer);
}

std::string host_of(const std::string& url) { return Url(url).part(CURLUPART_HOST); }

bool same_origin(const std::string& a, const std::string& b) {
    Url first(a), second(b);
    auto equal = [&](CURLUPart part) { return first.part(part) == second.part(part); };
    return first.sound && second.sound && equal(CURLUPART_SCHEME) && equal(CURLUPART_HOST) && equal(CURLUPART_PORT);
}

bool is_web_address(const std::string& url) {
    Url parsed(url);
    auto scheme = parsed.part(CURLUPART_SCHEME);
    return (scheme == "http" || scheme == "https") && !parsed.part(CURLUPART_HOST).empty();
}

std::string percent_encoded(std::string_view text, bool keep_slashes) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string encoded;
    for (unsigned char c : text) {
        bool plain = std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~' || (c == '/' && keep_slashes);
        if (plain)
            encoded += static_cast<char>(c);
        else
            encoded += {'%', digits[c >> 4], digits[c & 15]};
    }
    return encoded;
}

std::string plain_etag(std::string_view header) {
    if (header.starts_with("W/")) header.remove_prefix(2);
    if (header.size() >= 2 && header.front() == '"' && header.back() == '"')
        header = header.substr(1, header.size() - 2);
    return std::string(header);
}

}  // namespace rootstock::http
