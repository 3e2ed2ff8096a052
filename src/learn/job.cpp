#include "learn/job.h"

namespace rootstock {

Result<Job> open_job(const std::filesystem::path& folder) {
    Job job;
    job.folder = folder;
    ROOTSTOCK_TRY(spec, read_job_spec(folder));
    job.spec = std::move(spec);
    if (job.spec.kind != "finetune")
        return fail(ErrorCode::unsupported,
                    "job.json: kind \"" + job.spec.kind + "\" is unknown; this program does \"finetune\"", "kind");
    ROOTSTOCK_TRY(rows_digest, sha256_file(folder / "train.jsonl"));
    job.digest = sha256_hex(json::serialize(to_json(job.spec)) + rows_digest);
    return job;
}

Result<Model> load_base(const JobSpec& spec) {
    if (!spec.base_digest.empty()) {
        ROOTSTOCK_TRY(digest, model_digest(spec.base_folder));
        if (digest != spec.base_digest)
            return fail(ErrorCode::conflict, "the files in " + spec.base_folder + " have digest " + digest +
                                                 ", but the job was made for " + spec.base_digest +
                                                 ": pull the base model again or make a new job");
    }
    return load_model(spec.base_folder);
}

}  // namespace rootstock
