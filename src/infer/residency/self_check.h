#pragma once
// Does an adapter still say here what it said where it was made? Whoever registers or loads one asks this first.

#include <optional>

#include "data/data.h"
#include "model/model.h"
#include "native/native.h"

namespace rootstock {

// How far a logit may be from the recorded one: share of the largest recorded logit of that test, plus a constant.
struct SelfTestTolerance {
    double relative = 0.02;
    double absolute = 0.05;
};
SelfTestTolerance self_test_tolerance(Precision precision);  // fp32 is held to 1e-3, bf16 to what its 8 bits allow

// "8 self-tests agree with the learner within ...": what is said when they passed.
std::string self_test_sentence(std::size_t tests, Precision precision);

// Tokenizes each test's text (must give the recorded ids, if there are any), runs all tests in one batch, compares.
// conflict, with test number, class, both values: the adapter does not fit this model, tokenizer or machine. An adapter
// without self-tests passes.
Result<void> check_self_tests(Executor& executor, const NativeAdapter& native, const Adapter& adapter,
                              const Tokenizer& tokenizer);

// The same for a vision model, whose tests are made-up pictures.
Result<void> check_self_tests(Executor& executor, const NativeAdapter& native, const Adapter& adapter);

}  // namespace rootstock
