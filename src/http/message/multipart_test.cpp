#include "http/message/multipart.h"

#include <gtest/gtest.h>

#include <vector>

#include "http/message/query.h"

namespace rootstock::http {
namespace {

class Listener final : public PartSink {
public:
    struct Part {
        PartHead head;
        std::string data;
        bool ended = false;
    };
    std::optional<Refusal> begin(const PartHead& head) override {
        parts.push_back({head, {}, false});
        return std::nullopt;
    }
    std::optional<Refusal> data(std::string_view bytes) override {
        parts.back().data.append(bytes);
        return std::nullopt;
    }
    std::optional<Refusal> end() override {
        parts.back().ended = true;
        return std::nullopt;
    }
    std::vector<Part> parts;
};

// Reads `body` in pieces of `size` bytes; the status, 0 when it is fine.
int read(const std::string& body, std::size_t size, Listener& listener, MultipartLimits limits = {}) {
    MultipartReader reader("b", limits, listener);
    for (std::size_t at = 0; at < body.size(); at += size)
        if (auto refusal = reader.add(std::string_view(body).substr(at, size))) return refusal->status;
    auto refusal = reader.finish();
    return refusal ? refusal->status : 0;
}

std::string part(const std::string& disposition, const std::string& data) {
    return "--b\r\nContent-Disposition: " + disposition + "\r\n\r\n" + data + "\r\n";
}

const std::string two = part("form-data; name=\"purpose\"", "fine-tune") +
                        "--b\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; name=\"file\"; "
                        "filename=\"a \\\"b\\\".jsonl\"\r\n\r\nline\r\n--bx? no: \r\n-\r\n--\r\n" +
                        "\r\n--b--\r\nepilogue";

TEST(Multipart, GivesPartsWhateverThePiecesAre) {
    // "\r\n--b" followed by anything but CRLF or "--" would be malformed; the data here must not hold it.
    std::string body = two;
    body.replace(body.find("\r\n--bx"), 6, "\r\n--cx");
    for (std::size_t size = 1; size <= body.size(); ++size) {
        Listener listener;
        ASSERT_EQ(read(body, size, listener), 0) << size;
        ASSERT_EQ(listener.parts.size(), 2u);
        EXPECT_EQ(listener.parts[0].head.name, "purpose");
        EXPECT_FALSE(listener.parts[0].head.filename);
        EXPECT_EQ(listener.parts[0].data, "fine-tune");
        EXPECT_EQ(listener.parts[1].head.filename, "a \"b\".jsonl");
        EXPECT_EQ(listener.parts[1].head.content_type, "text/plain");
        EXPECT_EQ(listener.parts[1].data, "line\r\n--cx? no: \r\n-\r\n--\r\n");
        EXPECT_TRUE(listener.parts[0].ended && listener.parts[1].ended);
    }
}

TEST(Multipart, EmptyPartsAndNamesAsBrowsersEscapeThem) {
    Listener listener;
    std::string body =
        part("form-data; name=\"a%22b\"", "") + "--b\r\nContent-Disposition: form-data; name=plain\r\n\r\n--b--";
    EXPECT_EQ(read(body, 7, listener), 0);
    ASSERT_EQ(listener.parts.size(), 2u);
    EXPECT_EQ(listener.parts[0].head.name, "a\"b");
    EXPECT_EQ(listener.parts[0].data, "");
    EXPECT_EQ(listener.parts[1].head.name, "plain");
}

TEST(Multipart, RefusesWhatCanBeReadInTwoWays) {
    const std::string end = "--b--\r\n";
    for (const auto& body : {
             std::string("preamble\r\n") + part("form-data; name=a", "x") + end,
             part("form-data", "x") + end,                   // no name
             part("attachment; name=a", "x") + end,          // no form-data
             part("form-data; name=\"a", "x") + end,         // a quote left open
             part("form-data; name=\"\"", "x") + end,        // an empty name
             part("form-data; name=\"\xff\"", "x") + end,    // no UTF-8
             std::string("--b\r\n\r\nx\r\n") + end,          // no headers
             std::string("--b\r\nX: y\r\n\r\nx\r\n") + end,  // no disposition
             std::string("--b\r\nno colon\r\n\r\nx\r\n") + end,
             part("form-data; name=a\r\nContent-Disposition: form-data; name=b", "x") + end,
             part("form-data; name=a\r\nContent-Transfer-Encoding: base64", "eA==") + end,
             std::string("--b x\r\n") + end,  // something behind a boundary
             part("form-data; name=a", "x"),  // no end
             std::string(),
         }) {
        Listener listener;
        EXPECT_EQ(read(body, 5, listener), 400) << body;
    }
}

TEST(Multipart, KeepsItsLimits) {
    Listener listener;
    std::string many;
    for (int i = 0; i < 4; ++i) many += part("form-data; name=a", "x");
    EXPECT_EQ(read(many + "--b--", 9, listener, {.parts_max = 3}), 400);
    EXPECT_EQ(read("--b\r\nX: " + std::string(9000, 'y'), 100, listener), 400);
}

TEST(Multipart, FindsTheBoundaryOfAContentType) {
    EXPECT_EQ(boundary_of("multipart/form-data; boundary=abc").value(), "abc");
    EXPECT_EQ(boundary_of("Multipart/Form-Data; charset=utf-8; boundary=\"a b\"").value(), "a b");
    EXPECT_EQ(boundary_of("application/json").error().status, 415);
    EXPECT_EQ(boundary_of("multipart/mixed; boundary=abc").error().status, 415);
    for (const char* bad : {"multipart/form-data", "multipart/form-data; boundary=",
                            "multipart/form-data; boundary=\"a\x01\"", "multipart/form-data; boundary=\"a \""})
        EXPECT_EQ(boundary_of(bad).error().status, 400) << bad;
    EXPECT_EQ(boundary_of("multipart/form-data; boundary=" + std::string(71, 'a')).error().status, 400);
}

TEST(Query, TakesFieldsApart) {
    auto fields = parse_query("after=file_1&group_by[]=a%20b&group_by%5B%5D=c+d&flag&&x=%E5%8D%A1");
    ASSERT_TRUE(fields);
    ASSERT_EQ(fields->size(), 5u);
    EXPECT_EQ((*fields)[1].name, "group_by[]");
    EXPECT_EQ((*fields)[1].value, "a b");
    EXPECT_EQ((*fields)[2].value, "c d");
    EXPECT_EQ((*fields)[3].name, "flag");
    EXPECT_EQ((*fields)[4].value, "卡");
    EXPECT_TRUE(parse_query("")->empty());
    for (const char* bad : {"a=%", "a=%zz", "a=%00", "a=%ff", "=x"}) EXPECT_FALSE(parse_query(bad)) << bad;
    std::string many;
    for (int i = 0; i < 101; ++i) many += "a=1&";
    EXPECT_FALSE(parse_query(many));
}

}  // namespace
}  // namespace rootstock::http
