#include "flow/tuning/task.h"

namespace rootstock {

Result<const TuningTask*> find_task(const std::string& name) {
    static const TuningTask* const all[] = {&classify_task, &image_task, &chat_task, &table_task};
    std::string known;
    for (const auto* task : all) {
        if (name == task->name) return task;
        known += (known.empty() ? "" : ", ") + std::string(task->name);
    }
    return fail(ErrorCode::unsupported, "the task `" + name + "` is not known here; known are: " + known, "task");
}

}  // namespace rootstock
