#pragma once
// A job folder that has been looked at: checked settings and what it is known by.

#include <filesystem>
#include <string>

#include "base/base.h"
#include "model/model.h"

namespace rootstock {

struct Job {
    std::filesystem::path folder;
    JobSpec spec;
    std::string digest;  // over job.json and train.jsonl: a checkpoint belongs to one job only
};

// not_found, corrupt, invalid_argument: see read_job_spec; unsupported: a kind that this program does not do.
Result<Job> open_job(const std::filesystem::path& folder);

// The base model of the job. conflict: the folder is not the base that job.json names; otherwise see load_model.
Result<Model> load_base(const JobSpec& spec);

}  // namespace rootstock
