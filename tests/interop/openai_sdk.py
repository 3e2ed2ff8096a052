"""The unmodified OpenAI SDK for Python against a running Rootstock server: what its users do, with one URL changed.

    openai_sdk.py BASE_URL KEY ENCODER TRAINING_FILE [LANGUAGE_MODEL]

TRAINING_FILE: JSON lines {"text", "label"}. With a LANGUAGE_MODEL the chat parts run too. Prints a line for each part.
"""
import concurrent.futures
import io
import json
import sys
import time

import openai

URL, KEY, ENCODER, ROWS = sys.argv[1:5]
WRITER = sys.argv[5] if len(sys.argv) > 5 else None
client = openai.OpenAI(base_url=URL, api_key=KEY)


def expect(truth, what):
    if not truth:
        raise AssertionError(what)


def refused(error, call, **wanted):
    try:
        call()
    except error as found:
        for name, value in wanted.items():
            expect(getattr(found, name) == value, f"{name} is {getattr(found, name)!r}, not {value!r}")
        return found
    raise AssertionError(f"{error.__name__} was not raised")


def models():
    names = [model.id for model in client.models.list()]
    expect(ENCODER in names, names)
    expect(client.models.retrieve(ENCODER).object == "model", "a model is one")


def embeddings():
    answer = client.embeddings.create(model=ENCODER, input=["where is my card?", "my card is lost"])
    expect(len(answer.data) == 2 and len(answer.data[0].embedding) > 8, "two vectors")  # the SDK asks for base64
    length = sum(x * x for x in answer.data[0].embedding)
    expect(abs(length - 1) < 1e-3, length)
    floats = client.embeddings.create(model=ENCODER, input="where is my card?", encoding_format="float")
    expect(max(abs(a - b) for a, b in zip(floats.data[0].embedding, answer.data[0].embedding)) < 1e-2, "the same vector")


def errors():
    found = refused(openai.NotFoundError, lambda: client.embeddings.create(model="nosuch", input="x"), code="model_not_found")
    expect(found.request_id.startswith("req_"), found.request_id)
    refused(openai.BadRequestError, lambda: client.embeddings.create(model=ENCODER, input=[]))
    refused(openai.AuthenticationError, lambda: openai.OpenAI(base_url=URL, api_key="sk-wrong").models.list(), code="invalid_api_key")
    refused(openai.BadRequestError, lambda: client.embeddings.create(model=ENCODER, input="word " * 20000), code="context_length_exceeded")
    refused(openai.NotFoundError, lambda: client.fine_tuning.jobs.retrieve("ftjob-nosuch"), code="job_not_found")
    refused(openai.NotFoundError, lambda: client.files.retrieve("file-nosuch"), code="file_not_found")


def retries():
    """An overloaded or restarting server is asked again: the SDK's retries reach a server behind a port that opens late."""
    answers = []
    patient = openai.OpenAI(base_url=URL, api_key=KEY, max_retries=5)
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for answer in pool.map(lambda i: patient.embeddings.create(model=ENCODER, input=[f"text {i}"] * 16), range(64)):
            answers.append(answer)
    expect(len(answers) == 64, "all were answered")
    once = {"Idempotency-Key": "sdk-" + str(time.time_ns())}
    first = client.embeddings.with_raw_response.create(model=ENCODER, input="x", extra_headers=once)
    second = client.embeddings.with_raw_response.create(model=ENCODER, input="x", extra_headers=once)
    expect(second.headers["Idempotent-Replayed"] == "true" and first.text == second.text, "answered once")


def files():
    data = b'{"text": "x", "label": "a"}\n'
    file = client.files.create(file=("rows.jsonl", data), purpose="fine-tune",
                               expires_after={"anchor": "created_at", "seconds": 7200})
    expect(file.bytes == len(data) and file.status == "processed", file)
    expect(client.files.content(file.id).read() == data, "the bytes come back")
    expect(file.id in [found.id for found in client.files.list(purpose="fine-tune")], "it is listed")
    expect(client.files.retrieve(file.id).filename == "rows.jsonl", "its name")
    expect(client.files.delete(file.id).deleted, "it goes")
    refused(openai.NotFoundError, lambda: client.files.retrieve(file.id))


def uploads():
    data = b"".join(b'{"text": "row %d", "label": "a"}\n' % i for i in range(5000))
    upload = client.uploads.upload_file_chunked(file=data, filename="big.jsonl", bytes=len(data), mime_type="text/jsonl",
                                                purpose="fine-tune", part_size=40_000)
    expect(upload.status == "completed" and upload.file.bytes == len(data), upload)
    client.files.delete(upload.file.id)


def fine_tuning():
    with open(ROWS, "rb") as rows:
        training = client.files.create(file=rows, purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model=ENCODER, training_file=training.id, suffix="sdk", seed=1, metadata={"by": "sdk"},
                                         method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}})
    expect(job.object == "fine_tuning.job" and job.fine_tuned_model is None, job)
    paused = client.fine_tuning.jobs.create(model=ENCODER, training_file=training.id)
    expect(client.fine_tuning.jobs.pause(paused.id).id == paused.id, "pause")
    until = time.monotonic() + 120
    while client.fine_tuning.jobs.retrieve(paused.id).status != "paused":
        expect(time.monotonic() < until, "it pauses")
        time.sleep(0.2)
    client.fine_tuning.jobs.resume(paused.id)
    expect(client.fine_tuning.jobs.cancel(paused.id).id == paused.id, "cancel")
    until = time.monotonic() + 600
    while (job := client.fine_tuning.jobs.retrieve(job.id)).status not in ("succeeded", "failed", "cancelled"):
        expect(time.monotonic() < until, job.status)
        time.sleep(0.5)
    expect(job.status == "succeeded", job.error)
    expect(job.trained_tokens > 0, "tokens are told")
    events = list(client.fine_tuning.jobs.list_events(job.id, limit=50))
    expect(any("train_loss" in (event.data or {}) for event in events), "metrics are told")
    expect(job.id in [found.id for found in client.fine_tuning.jobs.list(metadata={"by": "sdk"})], "it is listed")
    checkpoint = client.fine_tuning.jobs.checkpoints.list(job.id).data[0]
    expect(checkpoint.fine_tuned_model_checkpoint == job.fine_tuned_model, checkpoint)
    csv = client.files.content(job.result_files[0]).text
    expect(csv.startswith("step,train_loss"), csv[:80])
    answer = client.post("/classify", body={"model": job.fine_tuned_model, "input": "where is my card?"}, cast_to=object)
    expect(answer["model"] == job.fine_tuned_model, answer)
    expect(job.fine_tuned_model in [model.id for model in client.models.list()], "it is a model")
    return job.fine_tuned_model


def batches(model):
    lines = [{"custom_id": f"row-{i}", "method": "POST", "url": "/v1/classify", "body": {"model": model, "input": f"text {i}"}}
             for i in range(20)]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    file = client.files.create(file=("batch.jsonl", io.BytesIO(data)), purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/classify", completion_window="24h", metadata={"n": "1"})
    until = time.monotonic() + 120
    while (batch := client.batches.retrieve(batch.id)).status not in ("completed", "failed"):
        expect(time.monotonic() < until, batch.status)
        time.sleep(0.2)
    expect(batch.request_counts.completed == 20, batch)
    answers = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
    expect({answer["custom_id"] for answer in answers} == {line["custom_id"] for line in lines}, "every line once")
    expect(batch.id in [found.id for found in client.batches.list(limit=5)], "it is listed")


def clean_up(model):
    expect(client.models.delete(model).deleted, "the model goes")
    refused(openai.NotFoundError, lambda: client.models.retrieve(model), code="model_not_found")


def chat():
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    answer = client.chat.completions.create(model=WRITER, messages=messages, max_tokens=24, temperature=0)
    text = answer.choices[0].message.content
    expect("Paris" in text, text)
    expect(answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens, answer.usage)
    pieces = list(client.chat.completions.create(model=WRITER, messages=messages, max_tokens=24, temperature=0, stream=True,
                                                 stream_options={"include_usage": True}))
    streamed = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    expect(streamed == text, (streamed, text))
    expect(pieces[-1].usage.total_tokens == answer.usage.total_tokens, "usage comes last")
    refused(openai.BadRequestError, lambda: client.chat.completions.create(model=WRITER, messages=[]))


def json_schema():
    schema = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}, "inhabitants": {"type": "integer"}},
              "required": ["city", "inhabitants"], "additionalProperties": False}
    answer = client.chat.completions.create(
        model=WRITER, messages=[{"role": "user", "content": "A city and its inhabitants, as JSON."}], max_tokens=80, temperature=0,
        response_format={"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": schema}})
    value = json.loads(answer.choices[0].message.content)
    expect(isinstance(value["city"], str) and isinstance(value["inhabitants"], int), value)


def main():
    parts = [models, embeddings, errors, retries, files, uploads] + ([chat, json_schema] if WRITER else [])
    for part in parts:
        part()
        print(part.__name__, "ok", flush=True)
    model = fine_tuning()
    print("fine_tuning ok", model, flush=True)
    batches(model)
    print("batches ok", flush=True)
    clean_up(model)
    print("clean_up ok", flush=True)


main()
