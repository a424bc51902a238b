"""Controls of a film as points in a motion clip and given pixels in a content clip."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from kinograph.nodes.interpolation.content_clip import content_clip, times_of, vace_context
from kinograph.nodes.interpolation.control_points import (
    ControlError,
    Points,
    depths_of_text,
    motion_clip,
    of_paths,
    of_tracks,
    resampled,
    strongest,
)
from kinograph.nodes.interpolation.nodes_controls import KinoInbetweenControls
from kinograph.nodes.interpolation.strokes import colours

SIZE = (48, 64)
FRAMES = 9
TEXT = [[torch.zeros(1, 2, 4), {"pooled": 1}]]


def path(*points: tuple[float, float]) -> list[dict]:
    return [{"x": x, "y": y} for x, y in points]


CROSSING = json.dumps([path((8, 24), (56, 24)), path((32, 4), (32, 44))])


def images(**shape: int) -> torch.Tensor:
    return torch.rand(1, *SIZE, 3, generator=torch.Generator().manual_seed(len(shape)))


def controls(**given):
    settings = {"paths": "", "depths": "", "radius": 3.0, "flow_points": 4, "region_times": ""}
    settings |= {"motion_strength": 1.0, "content_strength": 1.0}
    settings |= {"start": images(), "end": images() * 0.5, "frames": FRAMES} | given
    return KinoInbetweenControls.execute(TEXT, TEXT, **settings).args


def test_points_are_at_their_places_in_every_frame_and_nowhere_else():
    clip = controls(paths=CROSSING)[0].numpy()
    for number, frame in enumerate(clip):
        share = number / (FRAMES - 1)
        places = [(8 + 48 * share, 24), (32, 4 + 40 * share)]
        y, x = np.mgrid[: SIZE[0], : SIZE[1]]
        near = np.logical_or.reduce([np.hypot(x - px, y - py) <= 3.0 for px, py in places])
        assert np.array_equal(frame.any(axis=-1), near)


@pytest.mark.parametrize(
    ("depths", "front"), [("", 0), ("1, 2", 0), ("2, 1", 1), ("2>0, 1", 1), ("1.5>0, 1", 0)]
)
def test_the_nearer_point_is_seen_where_two_cross(depths, front):
    middle = controls(paths=CROSSING, depths=depths)[0][FRAMES // 2, 24, 32]
    expected = colours(2)[front]
    if depths == "2>0, 1":  # both as far at the crossing
        expected = colours(2)[0]
    np.testing.assert_allclose(middle.numpy(), expected)


def test_a_depth_picture_tells_what_is_in_front():
    depth = torch.zeros(1, *SIZE, 3)
    depth[:, 30:] = 1.0  # near, at the bottom
    paths = json.dumps([path((8, 24), (56, 24)), path((8, 34), (56, 34))])
    seen = controls(paths=paths, depth=depth, radius=8.0)[0][0, 29, 8]
    np.testing.assert_allclose(seen.numpy(), colours(2)[1])


def test_without_motion_the_content_is_the_same_bit_for_bit():
    mask = torch.zeros(1, *SIZE)
    mask[:, 10:20, 10:20] = 1
    given = {"paths": CROSSING, "region": mask, "region_image": images()}
    moving, still = controls(**given), controls(**given, motion_strength=0.0)
    assert moving[0].any() and not still[0].any()
    assert torch.equal(moving[1], still[1]) and torch.equal(moving[2], still[2])


def test_the_content_clip_has_both_ends_and_the_region_and_is_grey_elsewhere():
    mask = torch.zeros(1, *SIZE)
    mask[:, 10:20, 10:20] = 1
    shown = images(k=1)
    _, clip, given, *_ = controls(region=mask, region_image=shown)
    assert torch.equal(clip[0], images()[0]) and torch.equal(clip[-1], images()[0] * 0.5)
    middle = FRAMES // 2
    assert torch.equal(clip[middle, 10:20, 10:20], shown[0, 10:20, 10:20])
    assert given[middle].sum() == SIZE[0] * SIZE[1] - 100
    assert not given[0].any() and not given[-1].any()
    assert (clip[given.bool()] == 0.5).all()


def test_regions_are_given_at_their_times():
    assert times_of("", 3) == [0.25, 0.5, 0.75]
    assert times_of("0.1, 0.9", 2) == [0.1, 0.9]
    for text in ("0.5", "0.5, 1", "a, b", "nan, 0.5"):
        with pytest.raises(ControlError, match="times"):
            times_of(text, 2)


def test_a_region_without_a_picture_is_refused():
    with pytest.raises(ControlError, match="1 regions and 0 pictures"):
        controls(region=torch.ones(1, *SIZE))
    for alone in ({"region_image": images()}, {"region_times": "0.5"}):
        with pytest.raises(ControlError, match="no region"):
            controls(**alone)
    pictures = torch.rand(3, *SIZE, 3)
    with pytest.raises(ControlError, match="2 regions and 3 pictures"):
        content_clip(pictures[0], pictures[1], 9, pictures, torch.ones(2, *SIZE))


def test_tracks_of_core_are_points_that_come_and_go():
    places = torch.tensor([[[10.0, 10.0], [40.0, 40.0]], [[20.0, 10.0], [40.0, 20.0]]])
    seen = torch.tensor([[True, True], [True, False]])
    tracks = {"track_path": places, "track_visibility": seen}
    clip = controls(tracks=tracks, frames=5)[0].numpy()
    assert clip[2, 10, 15].any() and clip[0, 40, 40].any()
    assert not clip[4, 20, 40].any()
    whole = {"track_path": places, "track_visibility": torch.tensor([[True], [False]])}
    assert not controls(tracks=whole, frames=5)[0][4].any()


def test_wired_tracks_lie_before_paths():
    tracks = {"track_path": torch.full((2, 1, 2), 24.0), "track_visibility": torch.ones(2, 1)}
    paths = json.dumps([path((24, 24))])
    clip = controls(tracks=tracks, paths=paths)[0]
    np.testing.assert_allclose(clip[0, 24, 24].numpy(), colours(2)[0])
    swapped = controls(tracks=tracks, paths=paths, depths="2, 1")[0]
    np.testing.assert_allclose(swapped[0, 24, 24].numpy(), colours(2)[1])


def test_the_farthest_moving_points_of_a_flow_are_taken():
    flow = np.zeros((4, 32, 32, 2), np.float32)
    flow[:, 8:24, 8:24] = (3, 0)
    places, seen = strongest(flow, 4, 8)
    assert places.shape == (5, 4, 2)
    assert (places[0] >= 8).all() and (places[0] < 24).all()
    assert ((places[1] - places[0]) == (3, 0)).all()
    assert seen[0].all()
    wired = {"forward": torch.from_numpy(flow)}
    assert controls(flow=wired)[0].any()


def test_a_flow_of_another_size_is_stretched_to_the_picture():
    flow = torch.zeros(FRAMES - 1, 24, 32, 2)
    flow[:, 8:16, 8:16] = 1.0  # half the picture's size, so two pixels a frame
    clip = controls(flow={"forward": flow}, flow_points=1)[0]
    middles = [frame.any(dim=-1).nonzero().float().mean(dim=0) for frame in (clip[0], clip[4])]
    assert middles[0].tolist() == [24, 24]  # the grid's point at (12, 12)
    assert (middles[1] - middles[0]).tolist() == [8, 8]


def test_a_point_that_left_the_picture_does_not_come_back():
    flow = np.zeros((3, 16, 16, 2), np.float32)
    flow[0], flow[1:] = (20, 0), (-20, 0)
    assert strongest(flow, 1, 16)[1][:, 0].tolist() == [True, False, False, False]


def test_values_are_resampled_at_even_times():
    assert resampled(np.array([0.0, 10.0, 0.0]), 5).tolist() == [0, 5, 10, 5, 0]
    assert resampled(np.array([3.0]), 4).tolist() == [3, 3, 3, 3]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "[[]]",
        '"x"',
        "[1]",
        '[{"x": 1}]',
        '[[{"x": "a", "y": 1}]]',
        '[[{"x": NaN, "y": 1}]]',
        "[" * 9999,
    ],
)
def test_paths_of_other_forms_are_refused(text):
    with pytest.raises(ControlError, match="paths are no lists of points"):
        of_paths(text, 5)


@pytest.mark.parametrize("text", ["1", "1, 2, 3", "a, b", "1>2>3, 1", "inf, 1", ","])
def test_depths_of_other_forms_are_refused(text):
    with pytest.raises(ControlError, match="depths"):
        depths_of_text(text, 2, 5)


def test_tracks_of_other_shapes_are_refused():
    for places, seen in (((4, 2), (4, 2)), ((4, 2, 2), (3, 2)), ((0, 2, 2), (0, 2))):
        with pytest.raises(ControlError, match="needed is"):
            of_tracks(np.zeros(places), np.ones(seen), 5)
    with pytest.raises(ControlError, match="finite"):
        of_tracks(np.full((2, 1, 2), np.nan), np.ones((2, 1)), 5)


def test_no_points_are_a_black_clip():
    assert motion_clip(Points.none(3), SIZE, 3.0).shape == (3, *SIZE, 3)
    assert not motion_clip(Points.none(3), SIZE, 3.0).any()


class Vae:
    """Encodes to the mean of each cell, in four-frame steps."""

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        latents = pixels.unflatten(1, (-1, 8)).unflatten(3, (-1, 8)).mean(dim=(2, 4))  # [T,h,w,3]
        return latents[::4].movedim(-1, 0)[None].repeat(1, 6, 1, 1, 1)[:, :16]


def test_a_vae_puts_both_branches_into_the_conditioning():
    *_, positive, negative = controls(paths=CROSSING, vae=Vae(), motion_strength=0.7, content_strength=0.4)
    for text, options in (positive[0], negative[0]):
        assert torch.equal(text, TEXT[0][0]) and options["pooled"] == 1
        assert options["vace_strength"] == [0.4, 0.7]
        assert [tuple(one.shape) for one in options["vace_frames"]] == [(1, 32, 3, 6, 8)] * 2
        assert [tuple(one.shape) for one in options["vace_mask"]] == [(1, 64, 3, 6, 8)] * 2
        assert options["vace_mask"][1].min() == 1
    assert TEXT[0][1] == {"pooled": 1}
    alone = controls(paths=CROSSING, vae=Vae(), motion_strength=0.0)[3][0][1]
    assert len(alone["vace_frames"]) == 1
    motion = controls(paths=CROSSING, vae=Vae(), content_strength=0.0)[3][0][1]
    assert motion["vace_strength"] == [1.0] and motion["vace_mask"][0].min() == 1
    assert controls(vae=Vae(), content_strength=0.0, motion_strength=0.0)[3] == TEXT


@pytest.mark.parametrize("shape", [(FRAMES, 4, 6, 8), (1, 48, 3, 3, 4)])
def test_a_vae_of_another_kind_is_refused(shape):
    class Other:
        def encode(self, pixels):
            return torch.zeros(shape)

    with pytest.raises(ControlError, match=r"needed is \[1, 32, 3, 6, 8\]: wire a Wan 2.1 VAE"):
        controls(vae=Other())


def test_what_is_given_and_what_is_made_are_encoded_apart():
    pictures = torch.rand(2, *SIZE, 3)
    content = content_clip(pictures[0], pictures[1], FRAMES)
    latents, _ = vace_context(Vae().encode, content)
    torch.testing.assert_close(latents[:, :16, :1], Vae().encode(content.clip[:1]))
    assert (latents[:, 16:, :1] == 0.5).all()
    torch.testing.assert_close(latents[:, 16:, 1:2], Vae().encode(content.clip[4:5]))


def test_the_mask_of_a_latent_has_its_pixels_as_channels():
    """Of one frame for each latent frame, the nearest to its middle, as VACE was trained."""
    region = torch.rand(1, *SIZE).round()
    content = content_clip(*torch.rand(2, *SIZE, 3), FRAMES, torch.rand(1, *SIZE, 3), region)
    _, mask = vace_context(Vae().encode, content)
    for latent, frame in enumerate((1, 4, 7)):
        for y, x in ((0, 0), (3, 5), (7, 7)):
            assert torch.equal(mask[0, 8 * y + x, latent], content.mask[frame, y::8, x::8])
    assert (mask == 0).any()


@pytest.mark.parametrize(("frames", "high"), [(8, 48), (9, 40)])
def test_sizes_that_vace_cannot_take_are_refused(frames, high):
    pictures = torch.rand(2, high, 64, 3)
    with pytest.raises(ControlError, match="multiples of 16"):
        vace_context(Vae().encode, content_clip(pictures[0], pictures[1], frames))
