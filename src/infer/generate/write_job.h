#pragma once
// A request on its way through the writer; private to generate/.

#include <deque>

#include "infer/generate/text_writer.h"
#include "infer/generate/write_request.h"

namespace rootstock {

struct WriteChoice {
    explicit WriteChoice(TextWriter writer) : text(std::move(writer)) {}
    TextWriter text;
    int sequence = -1;  // in the cache; -1: its tokens stand nowhere (not forked yet, preempted, or ended)
};

struct WriteJob {
    WriteTicket ticket = 0;  // in order of arrival
    WriteRequest request;
    WriteListener listener;
    WriteDone done;
    WriteAnswer answer;

    std::vector<std::int32_t> lead;  // what every choice's sequence begins with: the prompt, or a decoder's start token
    bool encoder_waits = false;      // the prompt has to go through an encoder before
    bool begun = false;
    int trunk = -1;  // sequence that reads the lead; its choices fork from it
    std::vector<WriteChoice> choices;

    bool ended() const {
        for (const auto& choice : choices)
            if (!choice.text.finish()) return false;
        return !choices.empty();
    }
    std::size_t rows() const { return static_cast<std::size_t>(request.choices); }
};
using WriteJobPtr = std::unique_ptr<WriteJob>;

}  // namespace rootstock
