#pragma once
// Whether it pays to split one small batch between threads.
//
// Splitting halves the time while the cores are ours: the threads meet some thirty times in a pass, within microseconds.
// When another program wants the same cores (a tuning run beside the server), each meeting waits until the kernel gives
// the other thread its turn, and a pass of one millisecond takes a hundred. Then one thread alone is faster. So a pass
// that was far slower than the best one stops the splitting for a while, longer each time it happens again.

namespace rootstock {

class Pace {
public:
    // May a batch be split now? `now` in seconds.
    bool may_split(double now) const { return now >= resume_; }

    // A split pass over so many rows of products took so long.
    void split_took(int rows, double seconds, double now);

private:
    static constexpr double kSlow = 3.0;        // times the best pass: slower than one thread alone
    static constexpr double kFirstPause = 0.05;
    static constexpr double kLongestPause = 5.0;

    double best_ = 0;  // seconds per row of the fastest pass so far; 0: none
    double pause_ = kFirstPause;
    double resume_ = 0;
};

}  // namespace rootstock
