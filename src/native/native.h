#pragma once
// native: runs a model forward on the CPU, without libtorch. oneDNN matrix products over weights packed once; our own
// attention over packed rows, norms and low-rank products. Starts in milliseconds and reuses its memory from run to
// run. Other folders include this face only.
//
//   Model ──NativeModel::load──> packed weights (shared, read-only)
//   Adapter ──NativeAdapter::load──> low-rank pairs and head as the executor wants them (shared, read-only)
//   Executor (one per thread that runs batches): PackedBatch + one adapter or none per row -> states, embeddings,
//   logits
//   Cache: the past of texts that are being written on
//
// Rows of different adapters and of none go in one batch: the base product runs once for all rows, the low-rank
// products per adapter. Results stand in the caller's row order and do not depend on the other rows (up to rounding).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/data.h"
#include "model/model.h"

namespace rootstock {

enum class Precision {
    fp32,
    bf16,  // products and attention in bfloat16 with fp32 sums; residual stream, norms and softmax in fp32
    int8,  // as bf16, with every weight rounded to 8 bits (blocks of 32 with a scale, as GGUF's Q8_0). Products of few
           // rows read those, half the bytes; those of many rows read the same numbers in bf16
};

struct NativeOptions {
    Precision precision =
        Precision::bf16;  // a CPU without bf16 instructions runs fp32 instead, and description() says so
    int threads = 0;      // cores used by one run; 0: all this process may use
};

// A base model ready to run. Immutable; share it freely between threads.
class NativeModel {
public:
    // Packs every weight into the layout oneDNN prefers, then lets the file's pages go. Token embeddings stay in the
    // mapped file and are read row by row. unsupported: the spec has an option this executor does not run.
    static Result<std::shared_ptr<const NativeModel>> load(const Model& model, NativeOptions options = {});
    ~NativeModel();

    const TransformerSpec& spec() const;
    Precision precision() const;  // what it really runs in
    int threads() const;
    std::string description() const;  // "bf16 on AVX-512 (oneDNN 2.6.3), 2 threads, 21.4 MB packed"
    std::size_t packed_bytes() const;

    struct Parts;  // private to native/
    const Parts& parts() const { return *parts_; }

private:
    explicit NativeModel(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

struct PackedAdapter;

// An adapter ready to run on models of one spec. Immutable; share it freely.
class NativeAdapter {
public:
    // invalid_argument: the adapter's modules or sizes are not this model's.
    static Result<std::shared_ptr<const NativeAdapter>> load(const NativeModel& model, const Adapter& adapter);

    // From the packed copy beside the folder (FOLDER.packed, docs/formats/packed-adapter.md): what load() made once,
    // read into its place as it stands. It is checked whole before it is used. not_found: there is none. conflict: it
    // was made for another base, precision or version of ours, or the folder has changed since. corrupt: it is damaged.
    // In all of these cases load() and save_packed() make a new one.
    static Result<PackedAdapter> load_packed(const NativeModel& model, const std::filesystem::path& folder,
                                             const std::string& base_digest);
    // Writes that copy of what load(model, adapter) gave. `stamp` is adapter_stamp() from before the folder was read.
    Result<void> save_packed(const NativeModel& model, const std::filesystem::path& folder, const std::string& stamp,
                             const Adapter& adapter, const std::string& base_digest) const;
    ~NativeAdapter();

    bool fits(const NativeModel& model) const;  // was it packed for a model of this shape and precision?
    int classes() const;                        // of its head; 0: none
    std::size_t bytes() const;                  // memory it holds
    std::uint64_t serial() const;               // from 1 on; no two adapters loaded by this process have the same

    struct Parts;  // private to native/
    const Parts& parts() const { return *parts_; }

private:
    explicit NativeAdapter(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

// A packed copy: the adapter, and what else of its folder whoever serves it needs.
struct PackedAdapter {
    std::shared_ptr<const NativeAdapter> native;
    std::string task;
    std::vector<std::string> labels;
    int max_tokens = 0;
    bool has_self_tests = false;  // they stand in the folder only
};

// One adapter per row of the batch, null for the base alone; or empty: the base for every row.
using RowAdapters = std::span<const NativeAdapter* const>;

struct Logits {
    std::span<const float> values;          // all rows one after another
    std::span<const std::int32_t> offsets;  // [rows + 1]; row r has values[offsets[r] .. offsets[r + 1])
    std::span<const float> row(std::size_t r) const {
        return values.subspan(static_cast<std::size_t>(offsets[r]),
                              static_cast<std::size_t>(offsets[r + 1] - offsets[r]));
    }
};

// Pictures as the model wants them: resized, scaled and normalised by the caller (preprocessor_config.json).
struct ImageBatch {
    std::vector<float> pixels;  // [images, channels, image, image]
    int images = 0;
};

struct CacheOptions {
    int tokens = 4096;      // room of all sequences together
    int block_tokens = 64;  // sequences grow by so many; a multiple of 16
};

// Keys and values of sequences that are being written on, so that one token more costs one token. Sequences grow in
// blocks of fixed size out of one memory; many sequences take turns in it without moving. Belongs to one model, and to
// one thread at a time.
class Cache {
public:
    // unsupported: the model does not write on. overloaded: no memory for it.
    static Result<Cache> make(std::shared_ptr<const NativeModel> model, CacheOptions options = {});
    ~Cache();
    Cache(Cache&&) noexcept;
    Cache& operator=(Cache&&) noexcept;

    int open();              // a new empty sequence; the numbers of closed ones are used again
    int fork(int sequence);  // a sequence with the same past; blocks are shared until one of them writes
    void truncate(int sequence, int length);
    void close(int sequence);

    int length(int sequence) const;  // tokens read so far
    int free_tokens() const;         // room in blocks that no sequence uses

    // Blocks by themselves, for who wants to keep the past of a prompt beyond its sequence. Only full blocks may be
    // kept: nobody writes into them again.
    int block_tokens() const;
    std::size_t block_bytes() const;
    int blocks() const;
    int free_blocks() const;
    int blocks_wanted(int sequence, int more) const;        // free blocks that so many tokens more would take at most
    int block(int sequence, int index) const;               // holds tokens [index, index + 1) x block_tokens()
    void hold(int block);                                   // it stays when its sequences close
    void drop(int block);                                   // no longer held
    bool only_held(int block) const;                        // by one hold() and no sequence: dropping it frees it
    void begin(int sequence, std::span<const int> blocks);  // gives an empty sequence the past of full blocks

    struct Parts;  // private to native/
    Parts& parts() const { return *parts_; }

private:
    explicit Cache(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

// Of which tokens Executor::extend() gives logits.
enum class Answer { last_token, every_token };

// Runs batches, one at a time, on its threads. Its workspace grows to the largest batch seen. Every span it returns
// is valid until its next run. Errors: invalid_argument (an id outside the vocabulary, an empty row, wrong number of
// adapters, an adapter of another spec or without head), too_long (a row longer than the model's positions).
class Executor {
public:
    explicit Executor(std::shared_ptr<const NativeModel> model, int threads = 0);  // 0: the model's
    ~Executor();
    Executor(Executor&&) noexcept;
    Executor& operator=(Executor&&) noexcept;

    const NativeModel& model() const;
    std::shared_ptr<const NativeModel> shared_model() const;  // for a Cache beside it

    // The last layer's states: [tokens, width].
    Result<std::span<const float>> hidden(const PackedBatch& batch, RowAdapters adapters = {});

    // Mean over each row's states, divided by its Euclidean norm: [rows, width] (sentence-transformers).
    Result<std::span<const float>> embed(const PackedBatch& batch, RowAdapters adapters = {});

    // The head of each row's adapter as the *ForSequenceClassification of the model's family has it (model/adapter);
    // every row needs one. Of a model with a decoder (T5) the row's last token must be its end token.
    Result<Logits> classify(const PackedBatch& batch, RowAdapters adapters);

    // The model's own head, as its folder has it. Sequence: a row's classes. Token, span, masked and causal language
    // models: for every token of the row its classes, two numbers, or the vocabulary. A sequence head gives way to that
    // of a row's adapter. unsupported: the model has no head.
    Result<Logits> logits(const PackedBatch& batch, RowAdapters adapters = {});

    // Of pictures: states of the special tokens and patches [images x tokens, width], embeddings, classes.
    Result<std::span<const float>> hidden(const ImageBatch& images, RowAdapters adapters = {});
    Result<std::span<const float>> embed(const ImageBatch& images, RowAdapters adapters = {});
    Result<Logits> classify(const ImageBatch& images, RowAdapters adapters);
    Result<Logits> logits(const ImageBatch& images, RowAdapters adapters = {});

    // Of a table's rows: states of the class token and the columns [rows x tokens, width], embeddings, classes or one
    // number.
    Result<std::span<const float>> hidden(const ColumnBatch& rows, RowAdapters adapters = {});
    Result<std::span<const float>> embed(const ColumnBatch& rows, RowAdapters adapters = {});
    Result<Logits> logits(const ColumnBatch& rows, RowAdapters adapters = {});

    // Language models that write on. Row r of the batch is appended to sequence sequences[r], whose past it sees; a
    // first row is a whole prompt, a later one may be one token, and both go in one batch. Gives the next token's
    // logits [vocabulary] behind each row, or behind every token. Errors besides those above: overloaded (no block
    // left), too_long (past and row together), invalid_argument (a sequence twice). After an error the sequences are as
    // before.
    Result<Logits> extend(Cache& cache, const PackedBatch& batch, std::span<const int> sequences,
                          RowAdapters adapters = {}, Answer answer = Answer::last_token);

    // Encoder and decoder: runs the encoder on row r and keeps for sequences[r] what its decoder will look at. The
    // sequence must be empty.
    Result<void> read(Cache& cache, const PackedBatch& batch, std::span<const int> sequences,
                      RowAdapters adapters = {});

    // Meets the usual batch sizes once, so that the first customer does not wait for code generation.
    void warm();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace rootstock
