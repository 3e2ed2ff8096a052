#include "flow/process/child.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace rootstock {
namespace {

TEST(Child, GivesItsLinesItsErrorsAndItsStatus) {
    std::vector<std::string> lines, errors;
    ChildHooks hooks{[&](const std::string& line) { lines.push_back(line); },
                     [&](const std::string& line) { errors.push_back(line); },
                     {},
                     {}};
    auto end = run_child(
        {{"/bin/sh", "-c", "echo one; echo $GREETING; printf three; echo four >&2; exit 7"}, {{"GREETING", "two"}}},
        hooks);
    ASSERT_TRUE(end) << end.error().message;
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "three"}));
    EXPECT_EQ(errors, std::vector<std::string>{"four"});
    EXPECT_EQ(end->status, 7);
    EXPECT_FALSE(end->interrupted);
}

TEST(Child, ArgumentsPassThroughNoShell) {
    std::string line;
    ASSERT_TRUE(run_child({{"echo", "$HOME; `id`"}, {}}, {[&](const std::string& text) { line = text; }, {}, {}, {}}));
    EXPECT_EQ(line, "$HOME; `id`");
}

TEST(Child, SaysWhenThereIsNoSuchProgram) {
    auto end = run_child({{"rootstock-no-such-program"}, {}}, {});
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().code, ErrorCode::not_found);
}

TEST(Child, PassesAnInterruptOnAndSaysSo) {
    ChildHooks hooks;
    bool ready = false;
    hooks.on_line = [&](const std::string& line) {
        if (line == "ready" && !ready) ::kill(::getpid(), SIGTERM);
        ready = true;
    };
    auto end =
        run_child({{"/bin/sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"}, {}}, hooks);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->status, 3);
    EXPECT_TRUE(end->interrupted);
}

TEST(Child, EndsWhenTheHookSaysStop) {
    ChildHooks hooks;
    bool ready = false;
    hooks.on_line = [&](const std::string& line) { ready = ready || line == "ready"; };
    hooks.stop = [&] { return ready; };
    auto end =
        run_child({{"/bin/sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"}, {}}, hooks);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->status, 3);
    EXPECT_TRUE(end->interrupted);
}

TEST(Child, DescribesADeathBySignal) {
    auto end = run_child({{"/bin/sh", "-c", "kill -9 $$"}, {}}, {});
    ASSERT_TRUE(end);
    EXPECT_EQ(end->signal, SIGKILL);
    EXPECT_NE(describe(*end).find("signal 9"), std::string::npos);
}

}  // namespace
}  // namespace rootstock
