#pragma once
// The writer without its thread: decides what goes into the next step, runs it, and hands out what was written. One
// caller at a time; time is given from outside.

#include <functional>
#include <memory>
#include <vector>

#include "infer/generate/prefix_store.h"
#include "infer/generate/tenant_shares.h"
#include "infer/generate/waiting_room.h"
#include "infer/generate/writer.h"

namespace rootstock {

class WriteEngine {
public:
    static Result<std::unique_ptr<WriteEngine>> make(std::shared_ptr<const NativeModel> model, WriterSettings settings);

    // The closed list of what is wrong with a request; from any thread.
    Result<void> check(const WriteRequest& request) const;
    WaitingRoom& room() { return room_; }

    void accept(WriteJobPtr job);  // it passed check() and entered the room
    void cancel(WriteTicket ticket);
    void step(double now);
    void stop();  // nothing runs or waits afterwards
    bool idle() const { return running_.empty() && shares_.waiting() == 0; }
    WriterLoad load() const;
    int prompt_tokens_max() const;
    void warm();

private:
    WriteEngine(std::shared_ptr<const NativeModel> model, WriterSettings settings, Cache cache);

    // One sequence's part of a step.
    struct Row {
        WriteJob* job;
        int choice;  // -1: the trunk, which reads what all choices begin with
        int sequence;
        std::span<const std::int32_t> tokens;
        std::size_t cost;  // tokens, those of an encoder too
        int blocks;        // free ones that it will take
        bool answers;      // its tokens reach the end of its text: scores of the next one come out
    };

    // Who runs (write_admission.cpp).
    void end_late(double now);
    void let_in();
    bool fits(const WriteJob& job);
    std::span<const int> known_blocks(const WriteJob& job);
    bool make_room(const TenantShares::Lane& lane);
    bool take_from_the_largest(const TenantShares::Lane& lane);
    void begin(WriteJobPtr job);
    void preempt(WriteJob& job);
    void release(WriteJob& job);
    WriteJobPtr remove(WriteJob& job);
    void end(WriteJobPtr job, Finish finish);
    void end_all(const std::function<bool(const WriteJob&)>& wanted, Finish finish, const Error& error);
    void answer(WriteJobPtr job);
    void refuse(WriteJobPtr job, Error error);
    int blocks_of(int tokens) const { return (tokens + cache_.block_tokens() - 1) / cache_.block_tokens(); }
    std::size_t rows_running() const;

    // What one step does (write_engine.cpp).
    void plan();
    void plan_reading(int budget);
    bool add_row(WriteJob& job, int choice, std::size_t tokens);
    bool reserve(const WriteJob& job, int blocks);
    std::span<const std::int32_t> pending(const WriteJob& job, int choice) const;
    bool must_read_at_once(const WriteJob& job) const;
    Result<void> run();
    Result<void> read_encoders();
    void fail_all(const Error& error);
    void deliver(const Row& row, std::span<const float> scores);
    void deliver_token(WriteJob& job, int choice, std::span<const float> scores);
    void fork_choices(WriteJob& job);
    void account(std::int64_t micros);

    std::shared_ptr<const NativeModel> model_;
    WriterSettings settings_;
    Cache cache_;
    PrefixStore prefixes_;
    Executor executor_;
    WaitingRoom room_;
    TenantShares shares_;
    std::vector<WriteJobPtr> running_;  // in order of arrival
    int context_;                       // tokens of the longest sequence

    std::vector<Row> rows_;  // of this step
    int reserved_ = 0;       // blocks that they will take
    PackedBatch batch_;
    std::vector<int> sequences_;
    std::vector<const NativeAdapter*> adapters_;
    std::vector<std::int64_t> costs_;
    TextScratch scratch_;
    StepFacts facts_;
    WriterLoad totals_;
};

}  // namespace rootstock
