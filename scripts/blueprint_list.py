"""What the blueprints do: the main jobs, each as one node."""

from __future__ import annotations

from blueprints import Blueprint

TEXT_TO_VIDEO = {
    "positive": ("CLIPTextEncode", {"text": ""}),
    "negative": ("CLIPTextEncode", {"text": ""}),
}
PROMPTS = [
    ("positive.CONDITIONING", "sampler.positive"),
    ("negative.CONDITIONING", "sampler.negative"),
    ("size.latent", "sampler.latent"),
    ("sampler.latent", "decode.samples"),
]
OWN = {
    "model": "sampler.model",
    "clip": "positive.clip negative.clip",
    "vae": "size.vae decode.vae",
    "prompt": "positive.text",
    "negative prompt": "negative.text",
    "width": "size.width",
    "height": "size.height",
    "frames": "size.frames",
    "fps": "decode.fps",
    "seed": "sampler.seed",
    "steps": "sampler.steps",
    "cfg": "sampler.cfg",
}
MADE = {"video": "decode.video", "report": "sampler.report"}


def _sampled(
    name: str, description: str, method: str, given: dict[str, str], **method_values: int
) -> Blueprint:
    """A film from a prompt; `given` are the inputs that hold given frames."""
    values = {"method": method} | {f"method.{key}": value for key, value in method_values.items()}
    nodes = {
        **TEXT_TO_VIDEO,
        "size": ("KinoVideoLatent", {}),
        "sampler": ("KinoSampler", values),
        "decode": ("KinoDecodeToVideo", {}),
    }
    return Blueprint(name, description, nodes, PROMPTS, given | OWN, MADE)


def _extended() -> Blueprint:
    plain = _sampled(
        "Extend Video (Kinograph)",
        "Goes on from a video: its own frames stay, and a prompt says how it continues. frames is the length "
        "of the whole film.",
        "extension",
        {},
    )
    nodes = {"encode": ("KinoEncodeVideoToLatent", {}), **plain.nodes}
    wires = [("encode.latent", "size.prefix"), *plain.wires]
    sizes = {"width", "height"}  # those of the video count
    own = {name: target for name, target in OWN.items() if name not in sizes}
    inputs = {"video": "encode.video"} | own | {"vae": "encode.vae size.vae decode.vae"}
    return Blueprint(plain.name, plain.description, nodes, wires, inputs, MADE)


def _sparse() -> Blueprint:
    plain = _sampled(
        "Text to Video with Sparse Attention (Kinograph)",
        "A film from a prompt, each token looking at its neighbourhood only: for long and large films. The "
        "attention report tells what it saved.",
        "flat",
        {},
    )
    nodes = {
        "sparse": ("KinoSparseAttention", {}),
        **plain.nodes,
        "attention": ("KinoAttentionReport", {}),
    }
    wires = [
        *plain.wires,
        ("sparse.model", "sampler.model"),
        ("sparse.model", "attention.model"),
        ("sampler.latent", "attention.latent"),
    ]
    inputs = OWN | {"model": "sparse.model", "start_percent": "sparse.start_percent"}
    outputs = MADE | {"attention report": "attention.report"}
    return Blueprint(plain.name, plain.description, nodes, wires, inputs, outputs)


def _faster() -> Blueprint:
    plain = _sampled(
        "Text to Video at a High Frame Rate (Kinograph)",
        "A film from a prompt with four times the frames for its length in time: key frames as the model "
        "makes them, and frames that fit between. frames is 16·n + 1.",
        "flat",
        {},
    )
    nodes = {"rate": ("KinoHighFrameRate", {"method": "zerosmooth"}), **plain.nodes}
    wires = [*plain.wires, ("rate.model", "sampler.model")]
    return Blueprint(plain.name, plain.description, nodes, wires, OWN | {"model": "rate.model"}, MADE)


def _smoothed(name: str, description: str, node: str, inputs: dict[str, str]) -> Blueprint:
    """A video with frames in between, made and reported by one pull."""
    return Blueprint(
        name,
        description,
        {
            "model": ("KinoLoadInterpolationModel", {}),
            "between": (node, {}),
            "report": ("KinoInterpolationReport", {}),
        },
        [("model.interp_model", "between.interp_model"), ("between.video", "report.video")],
        {"video": "between.video"} | inputs | {"fps": "between.fps", "model": "model.file"},
        {"video": "report.video", "report": "report.report"},
    )


BLUEPRINTS = (
    Blueprint(
        "Scene of a Video (Kinograph)",
        "Finds the cuts of a video and keeps one of its scenes.",
        {"cuts": ("KinoSceneCuts", {}), "trim": ("KinoTrimVideo", {})},
        [("cuts.scenes", "trim.spans")],
        {"video": "cuts.video trim.video", "scene": "trim.span_index", "min_length": "cuts.min_length"},
        {"video": "trim.video", "report": "cuts.report", "count": "cuts.count"},
    ),
    Blueprint(
        "Fit Video to a Model (Kinograph)",
        "Covers a size that video models take, and brings the video to a frame rate.",
        {
            "resize": ("KinoResizeVideo", {"width": 832, "height": 480, "mode": "fill", "multiple_of": 16}),
            "retime": ("KinoRetimeVideo", {"fps": 16.0}),
        },
        [("resize.video", "retime.video")],
        {"video": "resize.video", "width": "resize.width", "height": "resize.height", "fps": "retime.fps"},
        {"video": "retime.video"},
    ),
    Blueprint(
        "Video through a VAE (Kinograph)",
        "Encodes a video to latents and decodes it again, and tells how close the result comes to it.",
        {
            "encode": ("KinoEncodeVideoToLatent", {}),
            "decode": ("KinoDecodeToVideo", {}),
            "compare": ("KinoCompareVideos", {}),
        },
        [("encode.latent", "decode.samples"), ("decode.video", "compare.video")],
        {"video": "encode.video compare.reference", "vae": "encode.vae decode.vae", "fps": "decode.fps"},
        {"video": "decode.video", "psnr": "compare.psnr", "report": "compare.report"},
    ),
    _sampled("Text to Video (Kinograph)", "A film from a prompt.", "flat", {}),
    _sampled(
        "Image to Video (Kinograph)",
        "A film from a prompt and its first picture.",
        "image_to_video",
        {"image": "size.start"},
    ),
    _sampled(
        "First and Last Frame to Video (Kinograph)",
        "A film from a prompt, its first and its last picture.",
        "in_between",
        {"first image": "size.start", "last image": "size.end"},
    ),
    _extended(),
    _faster(),
    _sparse(),
    _smoothed(
        "Smooth Video (Kinograph)",
        "Brings a video to another frame rate with frames that a network makes in between, and tells which "
        "were cuts and repeats.",
        "KinoInterpolateVideo",
        {"factor": "between.factor"},
    ),
    _smoothed(
        "Slow Motion (Kinograph)",
        "Plays a video more slowly with frames that a network makes in between; the sound keeps its pitch.",
        "KinoSlowMotion",
        {"slower": "between.slower"},
    ),
    Blueprint(
        "In-between Drawings (Kinograph)",
        "Draws clean frames between the line drawings of a batch, and tells what was matched.",
        {
            "lines": ("KinoVectoriseLines", {}),
            "between": ("KinoInbetweenLines", {"curve": "ease"}),
            "drawn": ("KinoRasteriseLines", {}),
        },
        [("lines.lines", "between.lines"), ("between.lines", "drawn.lines")],
        {
            "drawings": "lines.images",
            "threshold": "lines.threshold",
            "frames": "between.frames",
            "thickness": "drawn.thickness",
        },
        {"images": "drawn.images", "mask": "drawn.mask", "report": "between.report"},
    ),
)
