#include "learn/tensorboard/event_file.h"

#include <google/protobuf/io/coded_stream.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <map>

namespace rootstock {
namespace {

using google::protobuf::io::CodedInputStream;

// The records of a file, each checked against its two checksums.
std::vector<std::string> read_records(const std::string& bytes) {
    std::vector<std::string> records;
    for (std::size_t at = 0; at < bytes.size();) {
        std::uint64_t length;
        std::uint32_t length_sum, data_sum;
        std::memcpy(&length, bytes.data() + at, 8);
        std::memcpy(&length_sum, bytes.data() + at + 8, 4);
        EXPECT_EQ(length_sum, masked_crc32c(bytes.substr(at, 8)));
        auto data = bytes.substr(at + 12, length);
        std::memcpy(&data_sum, bytes.data() + at + 12 + length, 4);
        EXPECT_EQ(data_sum, masked_crc32c(data));
        records.push_back(data);
        at += 16 + length;
    }
    return records;
}

// A message's fields by number, read with the protobuf library: numbers as bits, submessages as bytes.
struct Fields {
    std::map<int, std::uint64_t> numbers;
    std::map<int, std::string> bytes;
};

Fields parse(const std::string& message) {
    CodedInputStream in(reinterpret_cast<const std::uint8_t*>(message.data()), static_cast<int>(message.size()));
    Fields fields;
    while (auto tag = in.ReadTag()) {
        int number = static_cast<int>(tag >> 3);
        std::uint32_t small = 0, length = 0;
        switch (tag & 7) {
            case 0:
                EXPECT_TRUE(in.ReadVarint64(&fields.numbers[number]));
                break;
            case 1:
                EXPECT_TRUE(in.ReadLittleEndian64(&fields.numbers[number]));
                break;
            case 5:
                EXPECT_TRUE(in.ReadLittleEndian32(&small));
                fields.numbers[number] = small;
                break;
            default:
                EXPECT_TRUE(in.ReadVarint32(&length) && in.ReadString(&fields.bytes[number], static_cast<int>(length)));
        }
    }
    return fields;
}

TEST(Crc32c, KnowsThePublishedValue) { EXPECT_EQ(crc32c("123456789"), 0xE3069283u); }

TEST(TensorboardFile, ScalarsComeBack) {
    auto folder = std::filesystem::path(testing::TempDir()) / "tensorboard_scalars";
    std::filesystem::remove_all(folder);
    ManualClock clock({1'700'000'000'250'000});
    {
        auto file = TensorboardFile::create(folder, clock);
        ASSERT_TRUE(file) << file.error().message;
        EXPECT_NE(file->path().filename().string().find("tfevents.1700000000."), std::string::npos);
        file->scalar("train/loss", 300, 0.75);
        file->scalar("validation/accuracy", 7'000'000'000, -1.5);
    }
    auto bytes = *read_file(std::filesystem::directory_iterator(folder)->path());
    auto records = read_records(bytes);
    ASSERT_EQ(records.size(), 3u);
    EXPECT_EQ(parse(records[0]).bytes.at(3), "brain.Event:2");
    auto event = parse(records[1]);
    EXPECT_EQ(std::bit_cast<double>(event.numbers.at(1)), 1'700'000'000.25);
    EXPECT_EQ(event.numbers.at(2), 300u);
    auto value = parse(parse(event.bytes.at(5)).bytes.at(1));
    EXPECT_EQ(value.bytes.at(1), "train/loss");
    EXPECT_EQ(std::bit_cast<float>(static_cast<std::uint32_t>(value.numbers.at(2))), 0.75f);
    EXPECT_EQ(parse(records[2]).numbers.at(2), 7'000'000'000u);
}

}  // namespace
}  // namespace rootstock
