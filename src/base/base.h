#pragma once
// base: the nouns and small tools that everybody shares. Knows nothing of tensors, SQL or HTTP.
// Other folders include this face only.

#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/home.h"
#include "base/ids.h"
#include "base/job.h"
#include "base/json.h"
#include "base/log.h"
#include "base/money.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/unsynced.h"
#include "base/usage.h"
