#pragma once
// Whether it pays to split one small batch between threads.
//
// Splitting halves the time while the cores are ours: the threads meet some thirty times in a pass, within
// microseconds. When another program wants the same cores (a tuning run beside the server), each meeting waits until
// the kernel gives the other thread its turn, and a pass of one millisecond takes a hundred. So one thread's time is
// measured first, and a split pass that is slower than it stops the splitting for a while, longer each time it happens
// again.

namespace rootstock {

class Pace {
public:
    // May a batch be split now? `now` in seconds.
    bool may_split(double now) const { return alone_ > 0 && now >= resume_; }

    // A pass over so many rows of products took so long, on one thread or on all.
    void alone_took(int rows, double seconds);
    void split_took(int rows, double seconds, double now);

private:
    static constexpr double kFirstPause = 0.05;
    static constexpr double kLongestPause = 5.0;

    double alone_ = 0;  // seconds per row of one thread's fastest pass so far; 0: none yet
    double pause_ = kFirstPause;
    double resume_ = 0;
};

}  // namespace rootstock
