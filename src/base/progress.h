#pragma once
// Progress of long work for people: a bar that redraws itself on a terminal, plain lines (at most one every
// few seconds) elsewhere. Colours only on a terminal and only when NO_COLOR is unset.

#include <cstdint>
#include <string>

namespace rootstock {

class Progress {
public:
    // `title` stands before the bar; `total` 0 means unknown; `unit` such as "bytes" or "steps".
    Progress(std::string title, std::uint64_t total, std::string unit);
    ~Progress();  // ends the line
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // `note` is appended ("loss 0.42  380 examples/s  1:20 left").
    void update(std::uint64_t done, const std::string& note = {});
    void finish(const std::string& note = {});

private:
    void draw(bool last);

    std::string title_, unit_, note_;
    std::uint64_t total_ = 0, done_ = 0;
    double started_ = 0, drawn_ = -1;
    bool terminal_ = false, finished_ = false;
};

bool stderr_is_terminal();
bool stdout_is_terminal();

enum class Colour { none, green, red, yellow, bold, dim };
// `text` in colour when stdout is a terminal that wants colours, unchanged otherwise.
std::string paint(Colour colour, const std::string& text);

std::string format_bytes(std::uint64_t bytes);  // "90.9 MB" (decimal units)
std::string format_duration(double seconds);    // "1:05", "2:03:04"
std::string format_count(std::uint64_t count);  // "10,003"

}  // namespace rootstock
