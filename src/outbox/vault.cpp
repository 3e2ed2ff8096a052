#include "outbox/vault.h"

#include <openssl/evp.h>

#include <memory>
#include <span>

#include "outbox/mac.h"

namespace rootstock::outbox {
namespace {

constexpr std::size_t key_bytes = 32, nonce_bytes = 12, tag_bytes = 16;

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    fill_secret_bytes({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    return bytes;
}

unsigned char* at(std::string& text, std::size_t from = 0) {
    return reinterpret_cast<unsigned char*>(text.data()) + from;
}
const unsigned char* at(std::string_view text, std::size_t from = 0) {
    return reinterpret_cast<const unsigned char*>(text.data()) + from;
}

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)>;

// Hexadecimal back to bytes; nothing for what seal never wrote.
std::optional<std::string> from_hex(std::string_view text) {
    std::string bytes;
    if (text.size() % 2 != 0 || text.find_first_not_of("0123456789abcdef") != std::string_view::npos)
        return std::nullopt;
    for (std::size_t i = 0; i < text.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
    return bytes;
}

}  // namespace

Result<Vault> Vault::open(const std::filesystem::path& file) {
    if (std::error_code none; !std::filesystem::exists(file, none)) {
        ROOTSTOCK_CHECKED(write_file_atomically(file, random_bytes(key_bytes)));
        std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
                                     none);
    }
    ROOTSTOCK_TRY(key, read_file(file, 2 * key_bytes));
    if (key.size() != key_bytes)
        return fail(ErrorCode::corrupt, file.string() + " is no key of this server: bring it back from its backup");
    return Vault(std::move(key));
}

std::string Vault::derive(std::string_view purpose) const { return hmac_sha256(key_, purpose); }

std::string Vault::seal(std::string_view text, std::string_view bound) const {
    const auto key = derive("seal");
    std::string sealed = random_bytes(nonce_bytes);
    sealed.resize(nonce_bytes + text.size() + tag_bytes);
    Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    int length = 0;
    bool fine =
        EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, at(std::string_view(key)), at(sealed)) == 1;
    fine = fine && EVP_EncryptUpdate(cipher.get(), nullptr, &length, at(bound), static_cast<int>(bound.size())) == 1;
    fine = fine && EVP_EncryptUpdate(cipher.get(), at(sealed, nonce_bytes), &length, at(text),
                                     static_cast<int>(text.size())) == 1;
    fine = fine && EVP_EncryptFinal_ex(cipher.get(), at(sealed, nonce_bytes + text.size()), &length) == 1;
    fine = fine && EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_bytes),
                                       at(sealed, nonce_bytes + text.size())) == 1;
    ROOTSTOCK_CHECK(fine, "AES-256-GCM seals");
    return lower_hex(sealed);
}

Result<std::string> Vault::unseal(std::string_view sealed_hex, std::string_view bound) const {
    const auto refuse = [] {
        return fail(ErrorCode::corrupt, "a sealed text does not open: is secret.key the one it was sealed with?");
    };
    auto sealed = from_hex(sealed_hex);
    if (!sealed || sealed->size() < nonce_bytes + tag_bytes) return refuse();
    const auto key = derive("seal");
    const std::size_t size = sealed->size() - nonce_bytes - tag_bytes;
    std::string text(size, '\0');
    Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    int length = 0;
    unsigned char rest[16];
    bool fine =
        EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, at(std::string_view(key)), at(*sealed)) == 1;
    fine = fine && EVP_DecryptUpdate(cipher.get(), nullptr, &length, at(bound), static_cast<int>(bound.size())) == 1;
    fine = fine &&
           EVP_DecryptUpdate(cipher.get(), at(text), &length, at(*sealed, nonce_bytes), static_cast<int>(size)) == 1;
    fine = fine && EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_bytes),
                                       at(*sealed, nonce_bytes + size)) == 1;
    fine = fine && EVP_DecryptFinal_ex(cipher.get(), rest, &length) == 1;
    if (!fine) return refuse();
    return text;
}

}  // namespace rootstock::outbox
