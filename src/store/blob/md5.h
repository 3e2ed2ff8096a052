#pragma once
// MD5 (RFC 1321), fed piece by piece: only to compare with what a client computed; nothing rests on it.

#include <string>
#include <string_view>

namespace rootstock::store {

class Md5 {
public:
    Md5();
    ~Md5();
    Md5(const Md5&) = delete;
    Md5& operator=(const Md5&) = delete;
    void add(std::string_view bytes);
    std::string hex();  // finishes; call once

private:
    void* context_;
};

}  // namespace rootstock::store
