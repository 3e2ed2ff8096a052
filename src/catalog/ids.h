#pragma once
// Ids of what the catalog keeps beside models, adapters, jobs and predictions (base/ids.h).

#include "base/base.h"

namespace rootstock {

struct FileTag {
    static constexpr const char* prefix = "file";
};
struct UploadTag {
    static constexpr const char* prefix = "upload";
};
struct PartTag {
    static constexpr const char* prefix = "part";
};
struct BatchTag {
    static constexpr const char* prefix = "batch";
};
struct FeedbackTag {
    static constexpr const char* prefix = "fb";
};

using FileId = Id<FileTag>;
using UploadId = Id<UploadTag>;
using PartId = Id<PartTag>;
using BatchId = Id<BatchTag>;
using FeedbackId = Id<FeedbackTag>;

}  // namespace rootstock
