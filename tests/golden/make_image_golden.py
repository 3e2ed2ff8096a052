#!/usr/bin/env python3
"""Golden digests of images: what Pillow decodes, and what the slow image processors of transformers make of it.

    scripts/golden-env
    build/golden-env/bin/python tests/golden/make_image_golden.py SHARED_DATA

writes images/ (small made-up pictures, one for each kind of file) and images.json beside itself. The real images lie
in SHARED_DATA and are named there by their paths; of pneumoniamnist.npz the validation images are named by number.
A digest is the SHA-256 of the RGB bytes, or of the float32 values in the order [channels, height, width].
"""
import hashlib
import json
import pathlib
import struct
import sys
import zlib

import numpy
import PIL
import transformers
from PIL import Image
from transformers import CLIPImageProcessor, DeiTImageProcessor, ViTImageProcessor

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE / "images"
WIDTH, HEIGHT = 37, 29

CONFIGS = {
    "vit": {"image_processor_type": "ViTImageProcessor"},
    "vit of 2021": {"do_normalize": True, "do_resize": True, "size": 224, "image_mean": [0.5, 0.5, 0.5],
                    "image_std": [0.5, 0.5, 0.5], "resample": 2, "feature_extractor_type": "ViTFeatureExtractor"},
    "deit": {"crop_size": 224, "do_center_crop": True, "do_normalize": True, "do_resize": True, "resample": 3,
             "feature_extractor_type": "DeiTFeatureExtractor", "image_mean": [0.485, 0.456, 0.406],
             "image_std": [0.229, 0.224, 0.225], "size": 256},
    "deit defaults": {"image_processor_type": "DeiTImageProcessor"},
    "clip": {"image_processor_type": "CLIPImageProcessor"},
    "clip, odd and padded": {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 23}, "resample": 1,
                             "crop_size": {"height": 51, "width": 28}, "do_normalize": False},
    "only cropped": {"image_processor_type": "DeiTImageProcessor", "do_resize": False, "crop_size": {"height": 28, "width": 300},
                     "image_mean": 0.25, "image_std": 0.3},
    "raw bytes": {"image_processor_type": "ViTImageProcessor", "do_resize": False, "do_rescale": False, "do_normalize": False},
    "other factor": {"image_processor_type": "ViTImageProcessor", "size": [17, 41], "rescale_factor": 0.00784313725490196,
                     "do_normalize": False},
}
for code, filter_name in enumerate(["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]):
    CONFIGS[filter_name] = {"image_processor_type": "ViTImageProcessor", "size": {"height": 33, "width": 57},
                            "resample": code, "do_rescale": False, "image_mean": [120, 110, 100], "image_std": [60, 55, 50]}

PROCESSORS = {"ViT": ViTImageProcessor, "DeiT": DeiTImageProcessor, "CLIP": CLIPImageProcessor}


def processor_of(config):
    kind = config.get("image_processor_type", config.get("feature_extractor_type"))
    cls = next(cls for prefix, cls in PROCESSORS.items() if kind.startswith(prefix))
    return cls.from_dict(dict(config))


# ---- made-up pictures

def picture(channels, top=255):
    generator = numpy.random.default_rng(7)
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [(numpy.sin(x / (3 + c)) + numpy.cos(y / (4 + c)) + 2) / 4 for c in range(channels)]
    values = numpy.stack(planes, axis=-1) * 0.8 + generator.random((HEIGHT, WIDTH, channels)) * 0.2
    return numpy.clip(values * top, 0, top).astype(numpy.uint16)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def packed(samples, depth):
    """One row: samples of `depth` bits, filter byte 0 before."""
    flat = samples.ravel()
    if depth == 16:
        return b"\0" + flat.astype(">u2").tobytes()
    if depth == 8:
        return b"\0" + flat.astype("u1").tobytes()
    bits = "".join(format(int(v), f"0{depth}b") for v in flat)
    bits += "0" * (-len(bits) % 8)
    return b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")


def write_png(name, samples, depth, colour, interlaced=False):
    adam7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    passes = [samples[y::dy, x::dx] for y, x, dy, dx in adam7] if interlaced else [samples]
    rows = b"".join(packed(row, depth) for one in passes if one.size for row in one)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, int(interlaced))
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    (FOLDER / name).write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def write_bmp16(name, masks, top_down):
    red, green, blue = (picture(3)[..., c] for c in range(3))
    shift = [(m & -m).bit_length() - 1 for m in masks]
    width = [bin(m).count("1") for m in masks]
    pixels = sum((p >> (8 - w)).astype(numpy.uint32) << s for p, s, w in zip((red, green, blue), shift, width))
    rows = [row.astype("<u2").tobytes() for row in pixels]
    rows = [row + b"\0" * (-len(row) % 4) for row in rows]
    data = b"".join(rows if top_down else rows[::-1])
    info = struct.pack("<IiiHHIIiiII", 40, WIDTH, -HEIGHT if top_down else HEIGHT, 1, 16, 3, len(data), 0, 0, 0, 0)
    info += struct.pack("<III", *masks)
    head = b"BM" + struct.pack("<IHHI", 14 + len(info) + len(data), 0, 0, 14 + len(info))
    (FOLDER / name).write_bytes(head + info + data)


def make_pictures():
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    rgb = Image.fromarray(picture(3).astype(numpy.uint8), "RGB")
    rgba = Image.fromarray(picture(4).astype(numpy.uint8), "RGBA")
    grey = Image.fromarray(picture(1)[..., 0].astype(numpy.uint8), "L")
    for name, image in [("rgb", rgb), ("rgba", rgba), ("grey", grey), ("black_white", grey.convert("1")),
                        ("grey_alpha", rgba.convert("LA"))]:
        image.save(FOLDER / f"{name}.png")
    for bits in (1, 2, 4, 8):
        palette = rgb.quantize(2 ** bits)
        palette.save(FOLDER / f"palette{bits}.png", bits=bits)
    palette.save(FOLDER / "palette_clear.png", transparency=bytes(range(0, 256, 2)))
    for depth in (2, 4):
        write_png(f"grey{depth}.png", picture(1, 2 ** depth - 1), depth, 0)
    write_png("grey16.png", picture(1, 700), 16, 0)
    write_png("grey_alpha16.png", picture(2, 65535), 16, 4)
    write_png("rgb16.png", picture(3, 65535), 16, 2)
    write_png("rgba16.png", picture(4, 65535), 16, 6)
    write_png("interlaced.png", picture(3), 8, 2, True)
    write_png("grey1_interlaced.png", picture(1, 1), 1, 0, True)
    for name, sampling in [("420", 2), ("422", 1), ("444", 0)]:
        rgb.save(FOLDER / f"rgb{name}.jpg", quality=85, subsampling=sampling)
    rgb.save(FOLDER / "progressive.jpg", quality=80, progressive=True)
    grey.save(FOLDER / "grey.jpg", quality=80)
    rgb.convert("CMYK").save(FOLDER / "cmyk.jpg", quality=90)
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb.save(FOLDER / "turned.jpg", quality=80, exif=exif)
    rgb.save(FOLDER / "rgb.bmp")
    rgba.save(FOLDER / "rgba.bmp")
    rgb.quantize(200).save(FOLDER / "palette.bmp")
    grey.convert("1").save(FOLDER / "black_white.bmp")
    write_bmp16("fields565.bmp", (0xF800, 0x7E0, 0x1F), False)
    write_bmp16("fields555_top_down.bmp", (0x7C00, 0x3E0, 0x1F), True)
    rgb.save(FOLDER / "lossy.webp", quality=80)
    rgb.save(FOLDER / "lossless.webp", lossless=True)
    rgba.save(FOLDER / "alpha.webp", quality=70)


# ---- digests

def digest(array):
    return hashlib.sha256(numpy.ascontiguousarray(array).tobytes()).hexdigest()


def case(name, image, configs):
    outputs = {}
    for config in configs:
        pixels = processor_of(CONFIGS[config])(image, return_tensors="np")["pixel_values"][0].astype("<f4")
        outputs[config] = {"shape": list(pixels.shape), "sha256": digest(pixels),
                           "values": [float(pixels[c, pixels.shape[1] // 2, pixels.shape[2] // 3]) for c in range(3)]}
    return {"image": name, "width": image.width, "height": image.height,
            "rgb": digest(numpy.array(image)), "outputs": outputs}


def real_images(data):
    for kind in ("benign", "malignant", "normal"):
        for path in sorted((data / "busi-ultrasound" / kind).glob("*.png"))[:6]:
            yield f"busi-ultrasound/{kind}/{path.name}", Image.open(path).convert("RGB")
    for path in sorted((data / "bccd" / "JPEGImages").glob("*.jpg"))[:60:5]:
        yield f"bccd/JPEGImages/{path.name}", Image.open(path).convert("RGB")
    scans = numpy.load(data / "pneumoniamnist" / "pneumoniamnist.npz")["val_images"]
    for number in range(0, 60, 5):
        yield f"pneumoniamnist/{number}", Image.fromarray(scans[number], "L").convert("RGB")


def main():
    data = pathlib.Path(sys.argv[1])
    make_pictures()
    cases = [case(path.name, Image.open(path).convert("RGB"), ["bicubic", "deit"]) for path in sorted(FOLDER.iterdir())]
    for number, (name, image) in enumerate(real_images(data)):
        cases.append(case(name, image, list(CONFIGS) if number % 6 == 0 else ["vit", "deit", "clip"]))
    golden = {"libraries": f"Pillow {PIL.__version__}, transformers {transformers.__version__}", "configs": CONFIGS, "cases": cases}
    text = json.dumps(golden, separators=(",", ":")).replace('{"image"', '\n{"image"').replace('"cases"', '\n"cases"')
    (HERE / "images.json").write_text(text + "\n")
    print(len(cases), "images,", sum(len(c["outputs"]) for c in cases), "outputs")


if __name__ == "__main__":
    main()
