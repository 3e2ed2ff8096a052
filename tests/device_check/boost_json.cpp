// Boost.JSON compiled in, so that its headers are enough.
#include <boost/json/src.hpp>
