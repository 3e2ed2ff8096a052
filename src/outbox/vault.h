#pragma once
// The server's own key: 256 random bits in HOME/secret.key (mode 0600), made when it is first needed. Not in the
// records, so that a copy of the records alone opens nothing; it belongs into another backup than they do.
//
// Secrets that we must be able to say again (of webhooks) are not kept at all: they follow from the key and from what
// they are for. Texts that wait with a secret in them (a letter with an invitation) are sealed with AES-256-GCM.

#include <filesystem>
#include <string>
#include <string_view>

#include "base/base.h"

namespace rootstock::outbox {

class Vault {
public:
    // io; corrupt for a file of another size.
    static Result<Vault> open(const std::filesystem::path& file);

    std::string derive(std::string_view purpose) const;  // 32 bytes, for this purpose only
    // Opened only with the same `bound` (the id of its row): sealed text cannot be moved to another row.
    std::string seal(std::string_view text, std::string_view bound) const;
    Result<std::string> unseal(std::string_view sealed, std::string_view bound) const;  // corrupt

private:
    explicit Vault(std::string key) : key_(std::move(key)) {}
    std::string key_;
};

}  // namespace rootstock::outbox
