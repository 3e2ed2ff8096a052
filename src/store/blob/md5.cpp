#include "store/blob/md5.h"

#include <openssl/evp.h>

#include "base/base.h"

namespace rootstock::store {

Md5::Md5() : context_(EVP_MD_CTX_new()) {
    ROOTSTOCK_CHECK(context_ && EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_md5(), nullptr) == 1,
                    "MD5 is not to be had from OpenSSL");
}

Md5::~Md5() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }

void Md5::add(std::string_view bytes) {
    ROOTSTOCK_CHECK(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) == 1,
                    "MD5 refused bytes");
}

std::string Md5::hex() {
    unsigned char digest[16];
    unsigned int length = 0;
    ROOTSTOCK_CHECK(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), digest, &length) == 1 && length == 16,
                    "MD5 did not finish");
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (auto byte : digest) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace rootstock::store
