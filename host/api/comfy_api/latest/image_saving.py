"""Saving pictures: PNG one by one, or animated PNG and WebP, each with the workflow inside."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ....whole_file import whole_file
from .saved_files import SavedImages, SavedResult, folder_of, workflow_tags
from .widgets import FolderType

if TYPE_CHECKING:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

_EXIF_MAKE, _EXIF_MODEL = 0x010F, 0x0110


class ImageSaveHelper:
    """Pictures are tensors [B,H,W,C] in 0..1; names get a counter and never replace a file."""

    @staticmethod
    def save_images(
        images: Any, filename_prefix: str, folder_type: FolderType, cls: type | None, compress_level: int = 4
    ) -> list[SavedResult]:
        """Save each picture as a PNG.

        Args:
            filename_prefix: may hold the tokens of `folder_paths.get_save_image_path` and %batch_num%.
            cls: the running node class, whose prompt and workflow go into the files.
            compress_level: 0 (fast) to 9 (small).
        """
        folder, name, counter, subfolder = _next_name(images, filename_prefix, folder_type)
        metadata = ImageSaveHelper._create_png_metadata(cls)
        results = []
        for number, image in enumerate(images):
            file = f"{name.replace('%batch_num%', str(number))}_{counter + number:05}_.png"
            picture = ImageSaveHelper._convert_tensor_to_pil(image)
            with whole_file(os.path.join(folder, file)) as part:
                picture.save(part, pnginfo=metadata, compress_level=compress_level)
            results.append(SavedResult(file, subfolder, folder_type))
        return results

    @staticmethod
    def save_animated_png(
        images: Any,
        filename_prefix: str,
        folder_type: FolderType,
        cls: type | None,
        fps: float,
        compress_level: int,
    ) -> SavedResult:
        """Save the pictures as one animated PNG."""
        metadata = ImageSaveHelper._create_animated_png_metadata(cls)
        options = {"pnginfo": metadata, "compress_level": compress_level}
        return _save_animation(images, filename_prefix, folder_type, "png", fps, options)

    @staticmethod
    def save_animated_webp(
        images: Any,
        filename_prefix: str,
        folder_type: FolderType,
        cls: type | None,
        fps: float,
        lossless: bool,
        quality: int,
        method: int,
    ) -> SavedResult:
        """Save the pictures as one animated WebP; `quality` 0 to 100, `method` 0 (fast) to 6 (small)."""
        first = ImageSaveHelper._convert_tensor_to_pil(images[0])
        exif = ImageSaveHelper._create_webp_metadata(first, cls)
        options = {"exif": exif, "lossless": lossless, "quality": quality, "method": method}
        return _save_animation(images, filename_prefix, folder_type, "webp", fps, options)

    @staticmethod
    def get_save_images_ui(
        images: Any, filename_prefix: str, cls: type | None, compress_level: int = 4
    ) -> SavedImages:
        """Save PNGs in the output folder, and show them."""
        saved = ImageSaveHelper.save_images(images, filename_prefix, FolderType.output, cls, compress_level)
        return SavedImages(saved)

    @staticmethod
    def get_save_animated_png_ui(
        images: Any, filename_prefix: str, cls: type | None, fps: float, compress_level: int
    ) -> SavedImages:
        """Save an animated PNG in the output folder, and show it."""
        saved = ImageSaveHelper.save_animated_png(
            images, filename_prefix, FolderType.output, cls, fps, compress_level
        )
        return SavedImages([saved], is_animated=len(images) > 1)

    @staticmethod
    def get_save_animated_webp_ui(
        images: Any,
        filename_prefix: str,
        cls: type | None,
        fps: float,
        lossless: bool,
        quality: int,
        method: int,
    ) -> SavedImages:
        """Save an animated WebP in the output folder, and show it."""
        saved = ImageSaveHelper.save_animated_webp(
            images, filename_prefix, FolderType.output, cls, fps, lossless, quality, method
        )
        return SavedImages([saved], is_animated=len(images) > 1)

    @staticmethod
    def _convert_tensor_to_pil(image: Any) -> Image.Image:
        """One picture [H,W,C]; values outside 0..1 are cut."""
        from PIL import Image

        return Image.fromarray((image.float().cpu().clamp(0, 1) * 255).byte().numpy())

    @staticmethod
    def _create_png_metadata(cls: type | None) -> PngInfo | None:
        """The tags as PNG text; None where there are none."""
        from PIL.PngImagePlugin import PngInfo

        tags = workflow_tags(cls)
        metadata = PngInfo()
        for name, value in tags.items():
            metadata.add_text(name, value)
        return metadata if tags else None

    @staticmethod
    def _create_animated_png_metadata(cls: type | None) -> PngInfo | None:
        """The tags as "comf" chunks behind the pictures, where the editor looks for them in an APNG."""
        from PIL.PngImagePlugin import PngInfo

        tags = workflow_tags(cls)
        metadata = PngInfo()
        for name, value in tags.items():
            metadata.add(b"comf", f"{name}\0{value}".encode("latin-1"), after_idat=True)
        return metadata if tags else None

    @staticmethod
    def _create_webp_metadata(pil_image: Image.Image, cls: type | None) -> Image.Exif:
        """The tags as "name:value" in EXIF: the prompt as Model, the others from Make downwards."""
        exif = pil_image.getexif()
        tags = workflow_tags(cls)
        if "prompt" in tags:
            exif[_EXIF_MODEL] = f"prompt:{tags.pop('prompt')}"
        for number, (name, value) in enumerate(tags.items()):
            exif[_EXIF_MAKE - number] = f"{name}:{value}"
        return exif


def _next_name(images: Any, prefix: str, folder_type: FolderType) -> tuple[str, str, int, str]:
    from ... import folder_paths

    height, width = images[0].shape[:2]
    folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
        prefix, folder_of(folder_type), width, height
    )
    return folder, name, counter, subfolder


def _save_animation(
    images: Any, prefix: str, folder_type: FolderType, extension: str, fps: float, options: dict[str, Any]
) -> SavedResult:
    folder, name, counter, subfolder = _next_name(images, prefix, folder_type)
    file = f"{name}_{counter:05}_.{extension}"
    first, *others = [ImageSaveHelper._convert_tensor_to_pil(image) for image in images]
    with whole_file(os.path.join(folder, file)) as part:
        first.save(part, save_all=True, append_images=others, duration=int(1000 / fps), **options)
    return SavedResult(file, subfolder, folder_type)
