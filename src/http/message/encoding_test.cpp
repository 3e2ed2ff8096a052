#include "http/message/encoding.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace rootstock::http {
namespace {

std::string unpacked(const std::string& packed, std::size_t size) {
    z_stream stream{};
    EXPECT_EQ(inflateInit2(&stream, 31), Z_OK);
    std::string out(size + 1, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    inflateEnd(&stream);
    return out;
}

std::string value_of(const Response& response, std::string_view name) {
    std::string all;
    for (const auto& header : response.headers)
        if (same_name(header.name, name)) all += "[" + header.value + "]";
    return all;
}

TEST(Encoding, WeighsWhatIsAccepted) {
    for (const char* wanted : {"gzip", "GZIP", "x-gzip", "deflate, gzip", "gzip;q=0.001", "gzip ; Q=1.000", "*",
                               "br;q=1.0, gzip;q=0.8, *;q=0.1", "gzip;q=0.5, identity;q=0.5", " , gzip,,", "*;q=0.5"})
        EXPECT_TRUE(prefers_gzip(wanted)) << wanted;
    for (const char* refused : {"", "identity", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *",
                                "identity, gzip;q=0.5", "gzip;q=2", "gzip;q=1.001", "gzip;q=.5", "gzip;q=-1",
                                "gzip;q=0.0001", "gzip;q=", "gzip;level=9", "gz ip", "gzip;q=1;q=1"})
        EXPECT_FALSE(prefers_gzip(refused)) << refused;
}

TEST(Encoding, PackedBytesAreTheBytes) {
    for (const auto& text :
         {std::string(), std::string("a"), std::string(1'000'000, 'x'), std::string("\0\xff\r\n", 4)}) {
        const auto packed = gzip(text);
        EXPECT_EQ(unpacked(packed, text.size()), text);
        EXPECT_EQ(packed, gzip(text));
    }
    EXPECT_LT(gzip(std::string(1'000'000, 'x')).size(), 20'000u);
}

TEST(Encoding, LeavesEventsFilesAndPackedBodiesAlone) {
    Response plain;
    plain.body = "{}";
    EXPECT_TRUE(may_be_packed(plain));
    Response events = plain, packed = plain, streamed = plain, image = plain, empty;
    events.content_type = "text/event-stream; charset=utf-8";
    packed.headers.push_back({"content-encoding", "br"});
    streamed.stream = [](BodySink&) -> boost::asio::awaitable<void> { co_return; };
    image.content_type = "image/png";
    for (const auto* left : {&events, &packed, &streamed, &image, &empty}) EXPECT_FALSE(may_be_packed(*left));
}

TEST(Encoding, AnEntityTagNamesTheBytes) {
    Response response;
    response.headers = {{"ETag", "\"abc\""}};
    pack(response, "packed");
    EXPECT_EQ(value_of(response, "ETag"), "[\"abc-gzip\"]");
    EXPECT_EQ(value_of(response, "Content-Encoding"), "[gzip]");
    EXPECT_EQ(response.body, "packed");
}

TEST(Encoding, VaryIsOneList) {
    Response response;
    vary_by(response, "Origin");
    vary_by(response, "Accept-Encoding");
    vary_by(response, "origin");
    EXPECT_EQ(value_of(response, "Vary"), "[Origin, Accept-Encoding]");
}

}  // namespace
}  // namespace rootstock::http
