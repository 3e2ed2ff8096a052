#!/usr/bin/env python3
"""The serving peer: the encoder on ONNX Runtime, fp32 and with dynamically quantised int8 weights.

    build/peers-env/bin/python bench/peers/ort_encoder_peer.py --model FOLDER [--work FOLDER]

exports the encoder (ids and mask in, last hidden states out) once, and measures 1 x 16, 64 x 16 and 32 x 128 tokens on
all cores, for two graphs: "exported", as torch wrote it and the session optimises it, and "fused", after ONNX
Runtime's transformer optimiser has put attention and embeddings into one operator each. Compare with the better.
Prints one JSON object a line: precision, graph, batch, tokens, ms (median), ms_p90, texts_per_s, and how near the
mean-pooled embeddings lie to torch's (cosine, the worst of the batch).
"""
import argparse
import contextlib
import json
import logging
import os
import pathlib
import resource
import statistics
import sys
import tempfile
import time
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy
import onnx
import onnxruntime
import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer

SHAPES = ((1, 16), (64, 16), (32, 128))
TEXT = """I ordered a new card three weeks ago and it has still not arrived. The app shows that it was posted, but nobody
can tell me where it is. Could you please cancel it and send another one to my new address? I was also charged twice for
the same transfer, and the exchange rate was not the one I had been shown before I agreed to it."""


class Encoder(torch.nn.Module):
    def __init__(self, folder):
        super().__init__()
        self.body = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")

    def forward(self, input_ids, attention_mask):
        return self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


def inputs(tokenizer, batch, tokens):
    """Windows of real text, each between [CLS] and [SEP]."""
    words = tokenizer(TEXT, add_special_tokens=False)["input_ids"] * 4
    rows = [[tokenizer.cls_token_id, *words[i:i + tokens - 2], tokenizer.sep_token_id] for i in range(batch)]
    ids = numpy.array(rows, dtype=numpy.int64)
    return {"input_ids": ids, "attention_mask": numpy.ones_like(ids)}


def export(encoder, sample, path):
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        encoder, tuple(torch.from_numpy(v) for v in sample.values()), str(path), opset_version=17, dynamo=False,
        input_names=["input_ids", "attention_mask"], output_names=["hidden"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "hidden": axes})


def fuse(path, out, config):
    model = optimizer.optimize_model(str(path), model_type="bert", num_heads=config.num_attention_heads,
                                     hidden_size=config.hidden_size, opt_level=0)
    model.save_model_to_file(str(out))


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def measure(run, feed, seconds):
    for _ in range(3):
        run.run(None, feed)
    times, begin = [], time.perf_counter()
    while len(times) < 10 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        run.run(None, feed)
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times), numpy.percentile(times, 90)


def embedding(hidden):
    mean = hidden.mean(axis=1)
    return mean / numpy.linalg.norm(mean, axis=1, keepdims=True)


def nearness(run, encoder, feed):
    with torch.no_grad():
        expected = encoder(*(torch.from_numpy(v) for v in feed.values())).numpy()
    return float((embedding(expected) * embedding(run.run(None, feed)[0])).sum(axis=1).min())


def prepare(encoder, sample, folder):
    """The four graphs, by (precision, how the graph came about)."""
    files = {(p, g): folder / f"{g}_{p}.onnx" for p in ("fp32", "int8") for g in ("exported", "fused")}
    with contextlib.redirect_stdout(sys.stderr):
        export(encoder, sample, files["fp32", "exported"])
        fuse(files["fp32", "exported"], files["fp32", "fused"], encoder.body.config)
        for graph in ("exported", "fused"):
            quantize_dynamic(str(files["fp32", graph]), str(files["int8", graph]), per_channel=True,
                             weight_type=QuantType.QInt8, extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--work", type=pathlib.Path, help="keep the exported files here")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=5, help="time per measurement")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(options.threads)
    with contextlib.ExitStack() as stack:
        folder = options.work or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        encoder = Encoder(options.model).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(options.model)
        for (precision, graph), path in prepare(encoder, inputs(tokenizer, 2, 8), folder).items():
            run = session(path, options.threads)
            for batch, tokens in SHAPES:
                feed = inputs(tokenizer, batch, tokens)
                median, p90 = measure(run, feed, options.seconds)
                print(json.dumps({
                    "peer": f"onnxruntime {onnxruntime.__version__}", "precision": precision, "graph": graph,
                    "batch": batch, "tokens": tokens, "threads": options.threads, "ms": round(median, 3),
                    "ms_p90": round(float(p90), 3), "texts_per_s": round(batch * 1e3 / median, 1),
                    "cosine_to_torch": round(nearness(run, encoder, feed), 6),
                    "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}), flush=True)


if __name__ == "__main__":
    main()
