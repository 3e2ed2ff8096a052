#pragma once
// Identifiers: a short prefix that says what the thing is, then a UUIDv7 (RFC 9562): milliseconds of Unix time
// and 74 random bits from the operating system, in 32 hexadecimal digits. They sort by time of creation and
// cannot be guessed. Each kind is a type of its own, so that a tenant is never passed where an adapter is meant.

#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace rootstock {

template <typename Tag>
class Id {
public:
    Id() = default;
    explicit Id(std::string text) : text_(std::move(text)) {}
    const std::string& text() const { return text_; }
    bool empty() const { return text_.empty(); }
    auto operator<=>(const Id&) const = default;

private:
    std::string text_;
};

struct TenantTag {
    static constexpr const char* prefix = "ten";
};
struct ApiKeyTag {
    static constexpr const char* prefix = "key";
};
struct AdapterTag {
    static constexpr const char* prefix = "ada";
};
struct JobTag {
    static constexpr const char* prefix = "job";
};
struct RequestTag {
    static constexpr const char* prefix = "req";
};
struct PredictionTag {
    static constexpr const char* prefix = "pred";
};
struct TransferTag {
    static constexpr const char* prefix = "tra";
};
struct InvoiceTag {
    static constexpr const char* prefix = "inv";
};

using TenantId = Id<TenantTag>;
using ApiKeyId = Id<ApiKeyTag>;
using AdapterId = Id<AdapterTag>;
using JobId = Id<JobTag>;
using RequestId = Id<RequestTag>;
using PredictionId = Id<PredictionTag>;
using TransferId = Id<TransferTag>;
using InvoiceId = Id<InvoiceTag>;

// "<prefix>_<32 hexadecimal digits>".
std::string mint_id(std::string_view prefix, Timestamp now);

template <typename Tag>
Id<Tag> mint(Timestamp now) {
    return Id<Tag>(mint_id(Tag::prefix, now));
}

}  // namespace rootstock
