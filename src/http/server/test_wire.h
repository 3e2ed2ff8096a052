#pragma once
// For the tests of this folder: raw bytes over the loopback.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace rootstock::http {

// A socket of the test's own.
class Wire {
public:
    explicit Wire(const std::string& address) {
        auto port = std::stoi(address.substr(address.rfind(':') + 1));
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(port));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        timeval limit{5, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    }
    ~Wire() { ::close(socket_); }
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    bool send(std::string_view bytes) {
        return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
    }

    // Everything until the server closes.
    std::string read_all() {
        std::string all;
        char piece[4096];
        for (ssize_t n; (n = ::recv(socket_, piece, sizeof piece, 0)) > 0;)
            all.append(piece, static_cast<std::size_t>(n));
        return all;
    }

    // Until `end` has been seen.
    std::string read_until(std::string_view end) {
        std::string all;
        char c;
        while (!all.ends_with(end) && ::recv(socket_, &c, 1, 0) == 1) all.push_back(c);
        return all;
    }

    std::string read_exactly(std::size_t count) {
        std::string all;
        char c;
        while (all.size() < count && ::recv(socket_, &c, 1, 0) == 1) all.push_back(c);
        return all;
    }

    void set_receive_buffer(int bytes) { ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes); }
    int socket() const { return socket_; }
    void shut_sending() { ::shutdown(socket_, SHUT_WR); }

private:
    int socket_ = -1;
};

}  // namespace rootstock::http
