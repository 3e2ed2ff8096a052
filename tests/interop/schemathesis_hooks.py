"""Names that exist, so that the fuzzer's calls come further than to "there is no such model": three times of four."""
import schemathesis

MODELS = {"/v1/extract": "entities", "/v1/answer-span": "answers", "/v1/rerank": "crossencoder", "/v1/embeddings": "fixture",
          "/v1/similarity": "fixture", "/v1/images/classify": "pictures", "/v1/chat/completions": "writer",
          "/v1/completions": "writer", "/v1/fine_tuning/jobs": "fixture", "/v1/classify": "tickets", "/v1/moderations": "tickets"}
# A written text takes its time; what is told of long ones is told of short ones.
SHORT = ("max_tokens", "max_completion_tokens")


@schemathesis.hook
def map_body(context, body):
    path = context.operation.path
    if isinstance(body, dict):
        if path in MODELS and isinstance(body.get("model"), str) and len(body["model"]) % 4:
            body["model"] = MODELS[path]
        if path.endswith("completions"):
            for name in SHORT:
                if isinstance(body.get(name), int) and body[name] > 8:
                    body[name] = 8
    return body


@schemathesis.hook
def map_path_parameters(context, parameters):
    if parameters and context.operation.path.startswith(("/v1/models", "/v2/models")) and len(str(parameters.get("id"))) % 4:
        parameters["id"] = "tickets"
    return parameters
