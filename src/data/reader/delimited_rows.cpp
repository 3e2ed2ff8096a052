#include "data/reader/delimited_rows.h"

namespace rootstock {
namespace {

// Reads one row. `row.fields` grows as far as bytes_max allows; what lies beyond is read over.
class RowParser {
public:
    RowParser(ByteSource& source, const Dialect& dialect, std::size_t bytes_max, RawRow& row)
        : source_(source), dialect_(dialect), bytes_max_(bytes_max), row_(row) {}

    void parse() {
        row_.fields.emplace_back();
        while (field())
            if (++bytes_ <= bytes_max_) row_.fields.emplace_back();
        if (bytes_ > bytes_max_) {
            row_.fields.clear();
            row_.fault = "the row is larger than " + format_count(bytes_max_) + " bytes; shorten or split its text";
        }
    }

private:
    // Reads one field and what ends it. True when another field follows.
    bool field() {
        if (dialect_.quotes && source_.peek() == '"') {
            source_.get();
            row_.any_quoted = true;
            quoted();
        }
        return unquoted();
    }

    void quoted() {
        auto opened = row_.fields.size();
        for (int byte = source_.get(); byte != ByteSource::end; byte = source_.get()) {
            if (byte != '"') {
                put(byte);
            } else if (source_.peek() == '"') {
                put(source_.get());
            } else {
                if (!at_end_of_field())
                    fault(fmt::format("field {} goes on after its closing quote; double the quotes inside it", opened));
                return;
            }
        }
        fault(fmt::format(
            "field {} opens a quote that is never closed, so the rest of the file (to line {}) was taken for it",
            opened, source_.line()));
    }

    bool at_end_of_field() {
        int byte = source_.peek();
        return byte == ByteSource::end || byte == delimiter() || byte == '\n' || byte == '\r';
    }

    bool unquoted() {
        for (int byte = source_.get(); byte != ByteSource::end; byte = source_.get()) {
            if (byte == delimiter()) return true;
            if (byte == '\n') return false;
            if (byte == '\r' && source_.peek() == '\n') {
                source_.get();
                return false;
            }
            if (byte == '\r' && dialect_.carriage_return) return false;
            put(byte);
        }
        return false;
    }

    void put(int byte) {
        if (++bytes_ <= bytes_max_) row_.fields.back().push_back(static_cast<char>(byte));
    }

    void fault(std::string sentence) {
        if (row_.fault.empty()) row_.fault = std::move(sentence);
    }

    int delimiter() const { return static_cast<unsigned char>(dialect_.delimiter); }

    ByteSource& source_;
    const Dialect& dialect_;
    std::size_t bytes_max_;
    RawRow& row_;
    std::size_t bytes_ = 0;
};

}  // namespace

bool read_row(ByteSource& source, const Dialect& dialect, std::size_t bytes_max, RawRow& row) {
    row.fields.clear();
    row.fault.clear();
    row.any_quoted = false;
    row.line = source.line();
    if (source.peek() == ByteSource::end) return false;
    RowParser(source, dialect, bytes_max, row).parse();
    row.blank = !row.any_quoted && row.fault.empty() && row.fields.size() == 1 && row.fields[0].empty();
    return true;
}

}  // namespace rootstock
