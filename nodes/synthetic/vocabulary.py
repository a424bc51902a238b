"""The words of the procedural world and what each one means in numbers."""

from __future__ import annotations

Color = tuple[float, float, float]
"""Red, green and blue in 0..1 (sRGB values, as displayed)."""

SHAPES = (
    "circle",
    "square",
    "triangle",
    "star",
    "pentagon",
    "hexagon",
    "ring",
    "cross",
    "heart",
    "diamond",
    "crescent",
    "pill",
)

COLORS: dict[str, Color] = {
    "red": (0.86, 0.13, 0.16),
    "orange": (0.97, 0.53, 0.10),
    "yellow": (0.99, 0.87, 0.20),
    "green": (0.16, 0.62, 0.27),
    "cyan": (0.22, 0.83, 0.88),
    "blue": (0.15, 0.33, 0.86),
    "purple": (0.50, 0.20, 0.68),
    "pink": (0.98, 0.58, 0.77),
    "white": (0.97, 0.97, 0.97),
    "black": (0.08, 0.08, 0.10),
}

TEXTURES = ("solid", "striped", "checkered", "dotted")

SIZES = {"small": 0.11, "medium": 0.17, "large": 0.25}
"""Radius as a fraction of the frame's shorter side."""

DIRECTIONS: dict[str, tuple[float, float]] = {
    "right": (1.0, 0.0),
    "left": (-1.0, 0.0),
    "up": (0.0, -1.0),
    "down": (0.0, 1.0),
    "up_right": (0.7071, -0.7071),
    "up_left": (-0.7071, -0.7071),
    "down_right": (0.7071, 0.7071),
    "down_left": (-0.7071, 0.7071),
    "stop_go_right": (1.0, 0.0),
    "stop_go_left": (-1.0, 0.0),
}
"""Unit direction of travel (x to the right, y down) of the motions that travel."""

MOTIONS: dict[str, tuple[str, ...]] = {
    "still": ("staying still", "standing still", "resting"),
    "right": ("moving right", "moving to the right", "sliding right"),
    "left": ("moving left", "moving to the left", "sliding left"),
    "up": ("moving up", "rising", "moving upwards"),
    "down": ("moving down", "sinking", "moving downwards"),
    "up_right": ("moving up and right", "moving diagonally up and to the right"),
    "up_left": ("moving up and left", "moving diagonally up and to the left"),
    "down_right": ("moving down and right", "moving diagonally down and to the right"),
    "down_left": ("moving down and left", "moving diagonally down and to the left"),
    "circle_cw": ("circling clockwise", "going round clockwise"),
    "circle_ccw": ("circling counterclockwise", "going round counterclockwise"),
    "bounce": ("bouncing", "bouncing up and down"),
    "closer": ("coming closer", "approaching", "growing"),
    "away": ("moving away", "receding", "shrinking"),
    "spin_cw": ("spinning clockwise", "rotating clockwise"),
    "spin_ccw": ("spinning counterclockwise", "rotating counterclockwise"),
    "stop_go_right": ("stopping and going right", "moving right in steps"),
    "stop_go_left": ("stopping and going left", "moving left in steps"),
    "swing": ("swinging", "swinging from side to side"),
}
"""Each motion and its phrases; the first is the canonical one."""

CAMERAS: dict[str, tuple[str, ...]] = {
    "static": ("the camera is static", "the camera does not move"),
    "pan_left": ("the camera pans left",),
    "pan_right": ("the camera pans right",),
    "tilt_up": ("the camera tilts up",),
    "tilt_down": ("the camera tilts down",),
    "zoom_in": ("the camera zooms in",),
    "zoom_out": ("the camera zooms out",),
    "roll": ("the camera rolls", "the camera rotates"),
    "shake": ("the camera shakes", "the camera is hand-held"),
    "truck_left": ("the camera trucks left",),
    "truck_right": ("the camera trucks right",),
}
"""Each camera move and its phrases. A truck is a sideways drive: near things pass faster than far ones."""

BACKGROUNDS: dict[str, tuple[str, ...]] = {
    "plain": ("a plain background", "a plain wall"),
    "gradient": ("a gradient background", "a softly shaded wall"),
    "checker_floor": ("a checkerboard floor", "a floor of checkered tiles"),
    "noise": ("a cloudy texture", "a mottled wall"),
    "horizon": ("hills at the horizon", "a landscape with hills"),
    "moving_bars": ("moving bars", "a wall of sliding bars"),
}

PALETTES: dict[str, tuple[Color, Color]] = {
    "slate": ((0.33, 0.39, 0.46), (0.44, 0.51, 0.58)),
    "sand": ((0.80, 0.73, 0.60), (0.69, 0.61, 0.48)),
    "sage": ((0.58, 0.66, 0.55), (0.48, 0.56, 0.46)),
    "dusk": ((0.42, 0.36, 0.48), (0.62, 0.50, 0.52)),
    "mist": ((0.74, 0.79, 0.83), (0.61, 0.67, 0.72)),
    "clay": ((0.60, 0.44, 0.37), (0.71, 0.56, 0.47)),
    "sea": ((0.42, 0.58, 0.66), (0.31, 0.46, 0.55)),
}
"""Background colours: muted, so that every object colour stands out against most of them."""

SKINS: dict[str, Color] = {
    "fair": (0.96, 0.80, 0.69),
    "tan": (0.88, 0.67, 0.51),
    "brown": (0.66, 0.45, 0.32),
    "dark": (0.43, 0.28, 0.20),
}

HAIRS: dict[str, Color] = {
    "black": (0.11, 0.09, 0.09),
    "brown": (0.36, 0.22, 0.13),
    "blond": (0.88, 0.70, 0.36),
    "red": (0.66, 0.27, 0.12),
    "grey": (0.66, 0.66, 0.68),
}

HAIR_STYLES = ("short", "long", "bald")

KINDS = ("objects", "talking_face", "mixed")
"""What a clip shows: moving shapes, a talking head, or scenes of both joined by cuts."""

MASKS = ("all objects", "each object", "mouth")
"""What the masks of a stretch of frames may show."""
