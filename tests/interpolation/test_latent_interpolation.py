"""Latent frames between others: moved with what moves, left to a sampler, or copies to be made anew."""

from __future__ import annotations

import pytest
import torch
from generation.wan_files import prompt, write_wan
from kinograph.host.core.nodes_sampling import KSampler
from kinograph.nodes.interpolation.latent_flow import frames_between, motion, moved, splatted
from kinograph.nodes.interpolation.nodes_latent import KinoLatentInterpolation
from kinograph.nodes.model import load_video_model

METHODS = ["latent_flow", "masked_frames", "nearest_frames"]


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def interpolated(samples, method, factor=2, **rest):
    latent = {"samples": samples, **rest}
    return KinoLatentInterpolation.execute(latent, {"method": method, "factor": factor}).args


def square_at(column: float, size: int = 12) -> torch.Tensor:
    """A patterned square of 4 cells, `column` cells from the left on an even ground: [1,4,size,size]."""
    frame = torch.zeros(1, 4, size, size)
    frame[:, :, 4:8, :4] = 2 + noise(1, 4, 4, 4, seed=7)
    return moved(frame, -column, 0.0) if column else frame


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("frames", "factor", "wanted"), [(16, 4, 61), (5, 2, 9), (2, 3, 4), (1, 4, 1), (3, 1, 3)]
)
def test_so_many_frames_come_out(method, frames, factor, wanted):
    made, report = interpolated(noise(1, 4, frames, 3, 3), method, factor)
    assert made["samples"].shape == (1, 4, wanted, 3, 3)
    assert report.startswith(f"{frames} latent frames → {wanted}")


@pytest.mark.parametrize("method", ["latent_flow", "masked_frames"])
def test_frames_that_were_there_stay_bit_for_bit_and_are_masked(method):
    film = noise(2, 4, 4, 5, 6)
    made = interpolated(film, method, 3)[0]
    assert torch.equal(made["samples"][:, :, ::3], film)
    assert made["noise_mask"].shape == (2, 1, 10, 5, 6)
    assert made["noise_mask"][0, 0, :, 0, 0].tolist() == [0, 1, 1] * 3 + [0]


@pytest.mark.parametrize("method", METHODS)
def test_between_equal_frames_is_the_same_frame(method):
    film = noise(1, 16, 1, 7, 9).expand(-1, -1, 3, -1, -1)
    made = interpolated(film, method, 4)[0]["samples"]
    assert torch.equal(made, film[:, :, :1].expand_as(made))


def test_copies_change_halfway_between_frames_as_in_lavie():
    film = torch.arange(16.0).view(1, 1, 16, 1, 1)
    made, told = interpolated(film, "nearest_frames", 4)
    doubled = torch.arange(16.0).repeat_interleave(4)[1:-2]
    assert torch.equal(made["samples"].flatten(), doubled)
    assert "noise_mask" not in made and "makes all of them anew" in told


@pytest.mark.parametrize(("distance", "off"), [(1.0, 0.0), (2.0, 0.0), (-1.5, 0.5)])
def test_motion_is_found_exactly_by_whole_cells_and_else_to_half_a_cell(distance, off):
    found = motion(square_at(4.0), square_at(4.0 + distance), reach=3.0)
    inside = found.flow[0, :, 5:7, 5:7]
    assert (inside[0] - distance).abs().max() <= off
    assert inside[1].abs().max() == 0
    assert found.flow[0, :, 0].abs().max() == 0  # the even ground stays


def test_a_square_moves_on_between_and_leaves_nothing_behind():
    before, after = square_at(1.0), square_at(5.0)
    [made] = frames_between(before, after, [0.5], reach=5.0)
    true = square_at(3.0)
    blend = (before + after) / 2
    assert (made - true).abs().mean() < 0.3 * (blend - true).abs().mean()


def test_cells_land_between_cells_by_their_share():
    frame = torch.zeros(1, 1, 1, 4)
    frame[..., 1] = 1.0
    found = motion(frame, frame, 0.0)._replace(
        flow=torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 1, 4)
    )
    landed, weight = splatted(frame, found, 1.0)
    assert landed.flatten().tolist() == [0, 0, 1, 0]
    assert weight.flatten()[0] == 0 and (weight.flatten()[1:] > 0).all()


def test_a_film_encoded_from_odd_sizes_keeps_telling_them():
    made, report = interpolated(
        noise(1, 4, 3, 2, 2),
        "masked_frames",
        2,
        kinograph_film=(7, 15, 13),
        noise_mask=torch.ones(1, 1, 3, 2, 2),
    )
    assert made["kinograph_film"] == (13, 15, 13)
    assert "own noise mask is left out" in report


def test_what_is_no_film_is_refused():
    with pytest.raises(ValueError, match="the latent is no film"):
        interpolated(noise(1, 4, 8, 8), "latent_flow")


def test_a_sampler_makes_the_frames_between_and_keeps_the_others(tmp_path):
    model = load_video_model(str(write_wan(tmp_path / "wan.safetensors")), "auto", "auto").model
    film = noise(1, 16, 2, 4, 4)
    given = interpolated(film, "masked_frames", 2)[0]
    made = KSampler.execute(model, 3, 2, 1.0, "euler", "simple", prompt(1), prompt(2), given, 1.0).args[0]
    torch.testing.assert_close(made["samples"][:, :, ::2], film)
    assert not torch.allclose(made["samples"][:, :, 1], given["samples"][:, :, 1], atol=0.1)
