"""Core's image nodes: load, save, preview, make and scale."""

from __future__ import annotations

from comfy_api.latest import Input, io, ui

from .files import content_hash, input_file, input_files, problem_with
from .pictures import plain_color, read_pictures, size_for

MAX_RESOLUTION = 16384
UPSCALE_METHODS = ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]
PREFIX_TOOLTIP = (
    "Start of the files' names, below the output folder. May hold %date:yyyy-MM-dd% or another node's value, "
    "as in %Empty Image.width%."
)


class LoadImage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        file = io.Combo.Input("image", options=input_files("image"), upload=io.UploadType.image)
        return io.Schema(
            node_id="LoadImage",
            display_name="Load Image",
            category="image",
            inputs=[file],
            outputs=[io.Image.Output(), io.Mask.Output()],
        )

    @classmethod
    def execute(cls, image: str) -> io.NodeOutput:
        return io.NodeOutput(*read_pictures(input_file(image)))

    @classmethod
    def fingerprint_inputs(cls, image: str) -> str:
        return content_hash(input_file(image))

    @classmethod
    def validate_inputs(cls, image: str) -> str | bool:
        return problem_with(image)


class SaveImage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SaveImage",
            display_name="Save Image",
            category="image",
            description="Saves pictures as PNG files to the output folder.",
            inputs=[
                io.Image.Input("images", tooltip="The pictures to save."),
                io.String.Input("filename_prefix", default="ComfyUI", tooltip=PREFIX_TOOLTIP),
            ],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, images: Input.Image, filename_prefix: str) -> io.NodeOutput:
        saved = ui.ImageSaveHelper.get_save_images_ui(images, filename_prefix=filename_prefix, cls=cls)
        return io.NodeOutput(ui=saved)


class PreviewImage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PreviewImage",
            display_name="Preview Image",
            category="image",
            inputs=[io.Image.Input("images")],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, images: Input.Image) -> io.NodeOutput:
        return io.NodeOutput(ui=ui.PreviewImage(images, cls=cls))


class EmptyImage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        color = {"default": 0, "min": 0, "max": 0xFFFFFF, "step": 1}
        return io.Schema(
            node_id="EmptyImage",
            display_name="EmptyImage",
            category="image",
            inputs=[
                io.Int.Input("width", default=512, min=1, max=MAX_RESOLUTION, step=1),
                io.Int.Input("height", default=512, min=1, max=MAX_RESOLUTION, step=1),
                io.Int.Input("batch_size", default=1, min=1, max=4096),
                io.Int.Input("color", **color, extra_dict={"display": "color"}),
            ],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, width: int, height: int, batch_size: int, color: int) -> io.NodeOutput:
        return io.NodeOutput(plain_color(color, height, width, batch_size))


class ImageScale(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ImageScale",
            display_name="Upscale Image",
            category="image/upscaling",
            inputs=[
                io.Image.Input("image"),
                io.Combo.Input("upscale_method", options=UPSCALE_METHODS),
                io.Int.Input("width", default=512, min=0, max=MAX_RESOLUTION, step=1),
                io.Int.Input("height", default=512, min=0, max=MAX_RESOLUTION, step=1),
                io.Combo.Input("crop", options=["disabled", "center"]),
            ],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(
        cls, image: Input.Image, upscale_method: str, width: int, height: int, crop: str
    ) -> io.NodeOutput:
        from comfy.utils import common_upscale

        columns, rows = size_for(image, width, height)
        scaled = common_upscale(image.movedim(-1, 1), columns, rows, upscale_method, crop)
        return io.NodeOutput(scaled.movedim(1, -1))


class ImageFromBatch(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ImageFromBatch",
            category="image/batch",
            inputs=[
                io.Image.Input("image"),
                io.Int.Input("batch_index", default=0, min=0, max=4095),
                io.Int.Input("length", default=1, min=1, max=4096),
            ],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, image: Input.Image, batch_index: int, length: int) -> io.NodeOutput:
        first = min(batch_index, len(image) - 1)
        return io.NodeOutput(image[first : first + length].clone())


class RepeatImageBatch(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RepeatImageBatch",
            category="image/batch",
            inputs=[io.Image.Input("image"), io.Int.Input("amount", default=1, min=1, max=4096)],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, image: Input.Image, amount: int) -> io.NodeOutput:
        return io.NodeOutput(image.repeat(amount, 1, 1, 1))


class MaskToImage(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MaskToImage",
            display_name="Convert Mask to Image",
            category="mask",
            inputs=[io.Mask.Input("mask")],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, mask: Input.Mask) -> io.NodeOutput:
        grey = mask.flatten(0, -3) if mask.dim() > 2 else mask[None]  # [B, H, W]
        return io.NodeOutput(grey[..., None].expand(-1, -1, -1, 3))


NODES = [
    LoadImage,
    SaveImage,
    PreviewImage,
    EmptyImage,
    ImageScale,
    ImageFromBatch,
    RepeatImageBatch,
    MaskToImage,
]
