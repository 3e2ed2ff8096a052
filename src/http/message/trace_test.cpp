#include "http/message/trace.h"

#include <gtest/gtest.h>

namespace rootstock::http {
namespace {

// The examples of W3C Trace Context.
const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736", span = "00f067aa0ba902b7";
const std::string parent = "00-" + trace + "-" + span + "-01";

TraceContext read(std::vector<Header> headers) {
    Request request;
    request.headers = std::move(headers);
    return trace_of(request);
}

TEST(Trace, GoesOnBelowTheCallersSpan) {
    const auto context = read({{"traceparent", parent}, {"tracestate", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"}});
    EXPECT_EQ(context.trace, trace);
    EXPECT_EQ(context.parent, span);
    EXPECT_TRUE(context.sampled);
    EXPECT_FALSE(context.random);
    EXPECT_EQ(context.state, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
    EXPECT_NE(context.span, span);
    EXPECT_EQ(context.text(), "00-" + trace + "-" + context.span + "-01");
    EXPECT_NE(context.span, read({{"traceparent", parent}}).span);
}

TEST(Trace, BeginsAnewWhenThereIsNone) {
    const auto context = read({});
    EXPECT_EQ(context.trace.size(), 32u);
    EXPECT_EQ(context.span.size(), 16u);
    EXPECT_EQ(context.parent, "");
    EXPECT_TRUE(context.text().ends_with("-02"));
    EXPECT_NE(context.trace, read({}).trace);
}

TEST(Trace, AMalformedParentIsNone) {
    const std::string zero32(32, '0'), zero16(16, '0');
    for (const auto& bad :
         {std::string(), std::string("00"), "00-" + trace + "-" + span, "00-" + trace + "-" + span + "-1",
          "00-" + trace + "-" + span + "-0g", "00-" + trace + "-" + span + "-01-more",
          "00-" + trace + "-" + span + "-01 ", "ff-" + trace + "-" + span + "-01", "0A-" + trace + "-" + span + "-01",
          "00-" + zero32 + "-" + span + "-01", "00-" + trace + "-" + zero16 + "-01",
          "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + span + "-01", "00_" + trace + "_" + span + "_01",
          "01-" + trace + "-" + span + "-01.more"}) {
        const auto context = read({{"traceparent", bad}, {"tracestate", "a=1"}});
        EXPECT_NE(context.trace, trace) << bad;
        EXPECT_EQ(context.parent, "") << bad;
        EXPECT_EQ(context.state, "") << bad;
    }
    EXPECT_NE(read({{"traceparent", parent}, {"traceparent", parent}}).trace, trace);
}

TEST(Trace, AVersionToComeIsReadAsFarAsKnown) {
    EXPECT_EQ(read({{"traceparent", "01-" + trace + "-" + span + "-01"}}).trace, trace);
    EXPECT_EQ(read({{"traceparent", "cc-" + trace + "-" + span + "-01-what-comes"}}).trace, trace);
}

TEST(Trace, AMalformedStateIsDroppedAndTheTraceGoesOn) {
    for (const std::string good : {"a=1", "a=1,b=2", "tenant@system=x", "0a=1", "a=1 , b=2", "a=b c!~", ",a=1,"})
        EXPECT_TRUE(is_tracestate(good)) << good;
    std::string many;
    for (int i = 0; i < 33; ++i) many += "k" + std::to_string(i) + "=1,";
    for (const std::string bad :
         {"a", "=1", "a=", "A=1", "a=1,a=2", "a=1=2", "-a=1", "a b=1", "a=\x7f", many.c_str()}) {
        EXPECT_FALSE(is_tracestate(bad)) << bad;
        const auto context = read({{"traceparent", parent}, {"tracestate", bad}});
        EXPECT_EQ(context.trace, trace);
        EXPECT_EQ(context.state, "");
    }
    EXPECT_FALSE(is_tracestate("a=" + std::string(257, 'x')));
    EXPECT_EQ(read({{"traceparent", parent}, {"tracestate", "a=1"}, {"tracestate", "b=2"}}).state, "a=1, b=2");
}

}  // namespace
}  // namespace rootstock::http
