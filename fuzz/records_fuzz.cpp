// data/reader: CSV, TSV and JSONL files. The first byte chooses the options.

#include "data/data.h"
#include "input.h"

using namespace rootstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    static constexpr TableFormat formats[] = {TableFormat::detect, TableFormat::csv, TableFormat::tsv,
                                              TableFormat::jsonl};
    ReadOptions options{.format = formats[data[0] & 3], .row_bytes_max = 1 << 16};
    if (data[0] & 4) options.header = (data[0] & 8) != 0;
    fuzz::InputFile file(fuzz::as_text(data + 1, size - 1));
    auto reader = RecordReader::open(file.path(), options);
    if (!reader) return 0;
    Record record;
    Problem problem;
    for (;;) {
        auto reading = reader->next(record, problem);
        if (!reading || *reading == Reading::end) return 0;
        if (*reading == Reading::record && record.values.size() > reader->columns().size()) std::abort();
    }
}
