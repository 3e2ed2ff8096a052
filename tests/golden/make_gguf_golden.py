#!/usr/bin/env python3
"""GGUF files written by the gguf package, and what it reads from them.

    build/golden-env/bin/python tests/golden/make_gguf_golden.py

writes
    gguf_blocks.gguf         random blocks of every type we read, and key-values of every type
    gguf_blocks.safetensors  TYPE: the same tensors as gguf.quants.dequantize gives them (fp32)
                             values: fp32 numbers, with halves, zeros, tiny and huge ones among them;
                             values.TYPE (U8): the bytes gguf.quants.quantize makes of them
"""
import pathlib

import gguf
import numpy
import safetensors.numpy

HERE = pathlib.Path(__file__).resolve().parent
TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]
WRITTEN = ["F16", "Q8_0", "Q4_0"]
# Where the fp16 scales of a block stand, in bytes from its beginning.
SCALES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2],
          "Q6_K": [208]}
ROWS, WIDTH = 3, 512


def random_blocks(kind, random):
    """Bytes of ROWS x WIDTH elements; scales are finite numbers of either sign, some of them subnormal."""
    if kind in ("F32", "F16", "BF16"):
        return gguf.quants.quantize(random.standard_normal((ROWS, WIDTH), dtype=numpy.float32),
                                    gguf.GGMLQuantizationType[kind]).view(numpy.uint8)
    elements, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    blocks = random.integers(0, 256, (ROWS, WIDTH // elements, size), dtype=numpy.uint8)
    for at in SCALES[kind]:
        scales = (random.standard_normal(blocks.shape[:2]) * 10.0 ** random.integers(-7, 3, blocks.shape[:2]))
        blocks[..., at:at + 2] = scales.astype(numpy.float16)[..., None].view(numpy.uint8)
    return blocks.reshape(ROWS, -1)


def hard_values(random):
    values = random.standard_normal((ROWS, WIDTH)).astype(numpy.float32)
    values[0, :32] = 0
    values[0, 32:64] = numpy.arange(32) - 15.5  # ties of the integers after scaling
    values[0, 64:96] = (numpy.arange(32) - 16) * 8.0
    values[0, 96:128] *= 1e-7
    values[0, 128:160] *= 3e-5
    values[0, 160:192] *= 5000
    values[0, 192:224] = 1
    values[0, 224:256] = -1
    values[0, 256:288] = numpy.where(numpy.arange(32) % 2, 127, -127) * (numpy.arange(32) + 0.5) / 31.5
    values[1] = (numpy.arange(WIDTH) * 2.0 ** -25 - 2.0 ** -16).astype(numpy.float32)  # fp16 subnormals and their ties
    values[2, :256] = numpy.float32(1) + numpy.arange(256, dtype=numpy.float32) * numpy.float32(2.0 ** -12)  # fp16 ties
    return values


def main():
    random = numpy.random.default_rng(11)
    writer = gguf.GGUFWriter(HERE / "gguf_blocks.gguf", "llama")
    writer.add_uint8("test.u8", 200)
    writer.add_int8("test.i8", -100)
    writer.add_uint16("test.u16", 60000)
    writer.add_int16("test.i16", -30000)
    writer.add_uint32("test.u32", 4000000000)
    writer.add_int32("test.i32", -2000000000)
    writer.add_uint64("test.u64", 1 << 60)
    writer.add_int64("test.i64", -(1 << 60))
    writer.add_float32("test.f32", 1.5)
    writer.add_float64("test.f64", 0.1)
    writer.add_bool("test.bool", True)
    writer.add_string("test.string", "grün")
    writer.add_array("test.strings", ["a", "", "ä"])
    writer.add_array("test.ints", [1, -2, 3])
    writer.add_array("test.floats", [0.5, -0.25])
    writer.add_array("test.bools", [True, False])
    golden = {}
    for kind in TYPES:
        data = random_blocks(kind, random)
        number = gguf.GGMLQuantizationType[kind]
        if kind in ("F32", "F16"):
            writer.add_tensor(kind, data.view(numpy.float32 if kind == "F32" else numpy.float16))
        else:
            writer.add_tensor(kind, data, raw_dtype=number)
        golden[kind] = numpy.ascontiguousarray(gguf.quants.dequantize(data, number)).reshape(ROWS, WIDTH)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    golden["values"] = hard_values(random)
    for kind in WRITTEN:
        data = gguf.quants.quantize(golden["values"], gguf.GGMLQuantizationType[kind])
        golden["values." + kind] = numpy.ascontiguousarray(data).view(numpy.uint8)
    safetensors.numpy.save_file(golden, HERE / "gguf_blocks.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()
