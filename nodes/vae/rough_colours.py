"""A look at latents without decoding them: a linear map from latent channels to red, green and blue.

The coefficients were fitted by the community to each model's own autoencoder; ComfyUI shows its previews with
the same ones. They are for normalised latents, and give one pixel per latent cell.
"""

from __future__ import annotations

import torch
from torch import Tensor

from . import ltx, taehv, wan21, wan22
from .latents import LatentFacts

SPACES = {facts.name: facts for facts in (wan21.LATENTS, wan22.LATENTS, taehv.HUNYUAN_LATENTS, ltx.LATENTS)}
"""The latent spaces with a map, by name; where channels are alike the first is meant."""


def space_of(channels: int, name: str | None = None) -> LatentFacts:
    """The latent space of that name, or the one with so many channels.

    Raises:
        ValueError: there is none, or it has another number of channels.
    """
    for facts in SPACES.values():
        if facts.channels == channels and name in (None, facts.name):
            return facts
    known = ", ".join(f"{facts.name} ({facts.channels})" for facts in SPACES.values())
    asked = f" as {name}" if name else ""
    raise ValueError(
        f"a latent with {channels} channels cannot be shown{asked} without its VAE; known are {known}. "
        "Wire the VAE"
    )


def rough_colours(latents: Tensor, facts: LatentFacts) -> Tensor:
    """Raw latents [B,Z,T,h,w] → images [B,T,h,w,3] in 0..1."""
    normalised = facts.normalised(latents.float().cpu())
    factors, bias = FACTORS[facts.name]
    # in units of 0.0001, rows of channels
    rgb = torch.einsum("bzthw,zc->bthwc", normalised, torch.tensor(factors).view(-1, 3) / 10_000)
    return ((rgb + torch.tensor(bias) / 10_000 + 1) / 2).clamp(0, 1)


def rgb_map(facts: LatentFacts) -> tuple[list[list[float]] | None, list[float] | None]:
    """Red, green and blue of each channel, and what is added to them; None for latents without a map."""
    if facts.name not in FACTORS:
        return None, None
    factors, bias = FACTORS[facts.name]
    rows = [[value / 10_000 for value in factors[start : start + 3]] for start in range(0, len(factors), 3)]
    return rows, [value / 10_000 for value in bias]


FACTORS: dict[str, tuple[tuple[int, ...], tuple[int, int, int]]] = {
    "Wan 2.1": (
        (
            -1299, -1692, 2932, 671, 406, 442, 3568, 2548, 1747, 372, 2344, 1420, 313, 189, -328,
            296, -956, -665, -3477, -4059, -2925, 166, 1902, 1975, -412, 267, -1364, -1293, 740, 1636,
            680, 3019, 1128, 32, 581, 639, -1251, 927, 1699, 60, -633, 5, 3477, 2275, 2950,
            1984, 913, 1861,
        ),
        (-1835, -868, -3360),
    ),
    "Wan 2.2": (
        (
            119, 103, 46, -1062, -504, 165, 140, 409, 491, -813, -677, 607, 656, 851, 808,
            264, 463, 912, 295, 326, 590, -244, -270, 25, 443, -102, 288, -465, -90, -205,
            359, 236, 82, -776, 854, 1048, 564, 264, 561, 6, 594, 418, -319, -542, -637,
            -268, 24, 260, 539, 265, 358, -359, -312, -287, -285, -1032, -1237, 1041, 537, 622,
            -86, -374, -51, 390, 670, 2863, 69, 144, 82, 6, -167, 79, 313, -574, -232,
            -1454, -902, -481, 714, 827, 447, -304, -574, -196, 401, 384, 204, -758, -297, -14,
            568, 1307, 1372, -55, -310, -380, 239, -305, 325, -663, -673, -140, -416, -47, -23,
            166, 112, -93, -211, 11, 331, 1833, 1466, 2250, -368, 370, 295, -3441, -3543, -2008,
            -479, -489, -420, -660, -153, 800, -101, 68, 156, -690, -452, -927, -145, 41, 15,
            421, 451, 373, 504, -483, -356, -837, 168, 55,
        ),
        (317, -878, -1388),
    ),
    "Hunyuan Video": (
        (
            -395, -331, 445, 696, 795, 518, 135, -945, -282, 108, -250, -765, -209, 32, 224,
            -804, -254, -639, -991, 271, -669, -646, -422, -400, -696, -595, -894, -799, -208, -375,
            1166, 1627, 962, 1165, 432, 407, -2315, -1920, -1355, -270, 401, -821, -616, -997, -727,
            249, -469, -1703,
        ),
        (259, -192, -761),
    ),
    "LTX-Video": (
        (
            112, -6, -100, 860, 658, 10, -126, -76, -41, 94, -22, 26, 38, 128, 92,
            210, -53, 34, -89, -197, -188, -132, -105, 20, -15, -70, -76, -17, 5, -34,
            136, 47, -20, 103, 77, 139, -161, -62, 12, 73, 156, 4, 10, -30, -148,
            191, 109, 123, 45, 0, -69, -5, 33, 78, 339, 334, 375, -230, -25, -31,
            503, 388, 335, -41, -11, 16, -1269, -1311, -2100, 263, 142, -36, -49, 88, 78,
            -17, -49, -52, -21, 24, 94, -225, -213, -151, -158, -106, -65, -47, 50, -67,
            120, 207, 162, -64, -85, -95, 73, -99, -230, -9, 63, 96, -372, -371, -567,
            -1337, -1072, -538, -54, 81, 88, -1525, -2144, -2184, 314, 70, -98, 22, -90, -210,
            38, -59, -150, -43, -129, -160, -55, -108, -30, -65, 31, -102, -50, -72, -9,
            -86, -24, 11, -90, -96, 16, 51, 121, 200, 138, 117, 82, -105, -116, -41,
            -284, -313, -221, 29, 365, 187, -167, -167, -45, 488, 401, 87, -151, -6, 30,
            -176, -81, 131, -93, 108, -63, 31, 5, 123, -228, -230, -260, -248, -154, -221,
            -236, 11, 124, -79, -12, -61, -115, -13, 63, -542, 266, 63, 44, -73, -105,
            -45, 16, 144, 137, 89, 41, -101, 90, 157, -56, 12, 81, -37, -54, 13,
            295, 214, 304, -349, -243, -253, -341, -224, -106, -173, -132, -107, -21, -86, -30,
            12, -42, -69, 9, -67, -1, 160, -101, -289, 12, 102, 189, 173, 3, 138,
            -135, -36, 7, 47, -52, 24, -59, -62, -18, 155, 146, 20, 75, 16, -82,
            191, 16, -40, -57, -27, -41, 17, 146, 258, -8, 23, 45, 116, 89, -73,
            76, 27, 114, 52, 37, 140, -184, -225, -245, 6, -58, -148, -161, -86, -145,
            205, 207, 64, 34, -112, -164, -15, -105, 17, 281, 235, 328, -185, -128, -88,
            -81, -108, -175, -39, 162, 334, -75, -142, -62, 35, -114, -106, 115, 39, 28,
            72, -15, -38, 22, -88, -96, 241, 217, 281, -54, -243, -178, 74, 105, 127,
            63, 63, 192, 164, 95, 67, 172, 236, 233, -146, -98, -116, 144, 144, 66,
            -68, 189, 146, 61, 35, -27, -27, -59, -92, 102, 74, -76, -133, 193, -9,
            24, -48, -158, 262, 260, 202, 157, 185, 27, -22, 47, -224, -75, 74, 144,
            -84, -80, 98, 383, 97, -193, -146, -67, 40,
        ),
        (-571, -1657, -2512),
    ),
}  # fmt: skip
"""(red, green and blue of each channel in turn, and the bias), in units of 0.0001."""
