"""VFIMamba: two frames scanned as one, their motion, and frames at any time between them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
import torch
from interpolation.scan_values import Work
from kinograph.kernels.scan import naive
from kinograph.nodes.interpolation import halving, vfimamba_scan
from kinograph.nodes.interpolation.load import load_interpolation_model
from kinograph.nodes.interpolation.nodes_frames import KinoInterpolateFrames
from kinograph.nodes.interpolation.vfimamba import Sizes, VFIMamba
from kinograph.nodes.interpolation.vfimamba_features import MixedBlock
from kinograph.nodes.interpolation.vfimamba_load import is_known, vfimamba
from kinograph.nodes.runtime import managed
from kinograph.nodes.vae.weights_file import Weights, WeightsError
from torch import Tensor

TINY = Sizes(4, (1, 1, 1, 1, 1))
PUBLISHED = {
    16: (16_792_786, "ca532fdc6155521cfbfe86ab7c3bfaa7035beb983d0838ba5e7757ac3804e639"),
    32: (66_070_921, "85c05fc29500659ccdf8170d6fd83ce084e5dcc281727002cea6541af2e51347"),
}
"""By width: how many parameters the published networks have, and a digest of their keys and shapes."""


@pytest.fixture
def network() -> VFIMamba:
    torch.manual_seed(0)
    made = VFIMamba(TINY).eval().requires_grad_(False)
    for name, tensor in made.state_dict().items():
        if name.startswith("block") and name.endswith("conv.2.0.weight"):
            tensor.mul_(20)  # so that something moves
    return made


def pictures(count: int, height: int = 32, width: int = 48) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(count)
    return (torch.rand(1, 3, height, width, generator=generator) for _ in range(count))


def relative_error(made: Tensor, wanted: Tensor) -> float:
    return float((made.float() - wanted).norm() / wanted.norm())


def without_heads(network: VFIMamba) -> VFIMamba:
    """The network with flow, mask and refinement of zero."""
    last = [head.conv[-1][0] for head in network.block]
    for layer in (*last, *(block.lastconv for block in network.local_block), network.unet.conv):
        layer.weight.zero_()
        layer.bias.zero_()
    return network


@pytest.mark.parametrize(("width", "name"), [(16, "VFIMamba-S"), (32, "VFIMamba")])
def test_keys_and_shapes_are_the_published_ones(width, name):
    with torch.device("meta"):
        network = VFIMamba(Sizes(width))
    assert network.told == name
    weights = network.state_dict()
    listed = "\n".join(sorted(f"{key} {tuple(tensor.shape)}" for key, tensor in weights.items()))
    digest = hashlib.sha256(listed.encode()).hexdigest()
    assert (sum(tensor.numel() for tensor in weights.values()), digest) == PUBLISHED[width]


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_file_tells_its_sizes(prefix, tmp_path):
    sizes = Sizes(8, (2, 1, 3, 2, 1))
    weights = {prefix + key: tensor for key, tensor in VFIMamba(sizes).state_dict().items()}
    weights[prefix + "feature_bone.block3.HW"] = torch.zeros(2)
    torch.save(weights, tmp_path / "VFIMamba.pkl")
    loaded = load_interpolation_model(tmp_path / "VFIMamba.pkl")
    assert isinstance(loaded, VFIMamba)
    assert loaded.sizes == sizes


def test_an_incomplete_file_is_refused():
    weights = VFIMamba(TINY).state_dict()
    del weights["unet.conv.bias"]
    with pytest.raises(WeightsError, match=r"lacks unet\.conv\.bias"):
        vfimamba(Weights(weights))
    assert not is_known({"block0.conv0.0.0.weight": torch.zeros(1)})


def test_separating_undoes_interleaving():
    frames = torch.rand(4, 3, 5, 2)
    tokens = vfimamba_scan.interleaved(frames)
    assert torch.equal(vfimamba_scan.separated(tokens, 3, 5), frames)
    assert torch.equal(tokens[1, 0::2].view(3, 5, 2), frames[1])
    assert torch.equal(tokens[1, 1::2].view(3, 5, 2), frames[3])


def test_columns_come_back_as_two_halves():
    numbers = torch.arange(2 * 3 * 4).view(1, -1, 1)
    columns = vfimamba_scan.column_by_column(numbers, 3, 4).flatten().tolist()
    assert columns[:8] == [0, 1, 8, 9, 16, 17, 2, 3]
    back = vfimamba_scan.back_from_columns(numbers, 3, 4).flatten().tolist()
    assert back[:12] == [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]
    assert back[12:] == [12 + number for number in back[:12]]


@pytest.mark.parametrize("segment", [7, 4096])
def test_four_ways_are_four_recurrences(monkeypatch, segment):
    monkeypatch.setattr(vfimamba_scan, "SEGMENT", segment)
    height, width, channels, states = 3, 4, 5, 2
    tokens = torch.randn(2, 2 * height * width, channels)
    rates, skip = -torch.rand(4, states, channels), torch.randn(4, channels)
    step, write, look = (torch.randn(4, channels, n) for n in (channels, states, states))

    def project(four: Tensor) -> tuple[Tensor, ...]:
        made = [torch.einsum("btkd,kdn->btkn", four, weight) for weight in (step, write, look)]
        return torch.nn.functional.softplus(made[0]), made[1], made[2]

    columns = vfimamba_scan.column_by_column(tokens, height, width)
    four = torch.stack([tokens, columns, tokens.flip(1), columns.flip(1)], 2)
    delta, b, c = project(four)
    y = naive.selective_scan(four, delta, rates, b, c)[0] + four * skip
    from_columns = y[:, :, 1] + y[:, :, 3].flip(1)
    wanted = y[:, :, 0] + y[:, :, 2].flip(1)
    wanted = wanted + vfimamba_scan.back_from_columns(from_columns, height, width)
    made = vfimamba_scan.scan_four_ways(tokens, height, width, project, rates, skip)
    assert (made - wanted).abs().max() <= 1e-5 * wanted.abs().max()


def test_a_block_sees_both_frames():
    torch.manual_seed(0)
    block = MixedBlock(32).requires_grad_(False)
    frames = torch.randn(2, 32, 4, 6)
    changed = frames.clone()
    changed[1, :16, 3, 5] += 1
    difference = (block(frames) - block(changed)).abs().amax(1)
    assert difference[0].min() > 1e-6  # the scans reach every place of the other frame


def test_the_work_of_a_block_is_linear_in_the_pixels(monkeypatch):
    monkeypatch.setattr(vfimamba_scan, "SEGMENT", 64)
    block, counts = MixedBlock(32).requires_grad_(False), []
    for width in (16, 32, 64):
        with Work() as work:
            block(torch.zeros(2, 32, 16, width))
        counts.append(work.numbers)
    assert counts[2] - counts[1] == pytest.approx(2 * (counts[1] - counts[0]), rel=0.01)


def test_nothing_but_the_blend_is_left_without_heads(network):
    first, second = pictures(2)
    made = without_heads(network)(first, second)
    assert (made - (first + second) / 2).abs().max() <= 1e-5


def steadily_moving(network: VFIMamba, pixels: float) -> VFIMamba:
    """The network with one motion everywhere, `pixels` to the right from the first frame to the second."""
    network = without_heads(network)
    head = network.block[0]
    head.conv[-1][1].weight.fill_(1)  # no kink at zero
    half = pixels / 2 / head.shrink
    head.conv[-1][0].bias.copy_(torch.tensor([-half, 0, half, 0, 0]))
    return network


@pytest.mark.parametrize("time", [0.5, 0.25, 0.9])
def test_steady_motion_is_followed_to_any_time(network, monkeypatch, time):
    monkeypatch.setattr(halving, "MOST_HALVINGS", 1)
    ramp, shift = torch.linspace(0.2, 0.8, 64).expand(1, 3, 16, 64), 0.6 / 63 * 8
    made = steadily_moving(network, 8)(ramp, ramp - shift, time)
    assert (made - (ramp - shift * time))[..., 8:-8].abs().max() <= 1e-5


def test_middles_of_middles_are_what_the_published_network_makes(network):
    first, second = pictures(2)
    middle = network(first, second)
    early = network(first, middle)
    wanted = [early, network(early, middle), middle, network(middle, second)]
    made = network.forward_multi_timestep(first, second, [1 / 4, 3 / 8, 1 / 2, 3 / 4])
    assert torch.equal(made, torch.cat(wanted))


def test_times_between_the_same_frames_share_their_motion(network, monkeypatch):
    looked, first, last = [], *pictures(2)
    plain = network.motion
    monkeypatch.setattr(network, "motion", lambda *given: looked.append(given) or plain(*given))
    times = [1 / 16, 2 / 16, 3 / 16]
    made = network.forward_multi_timestep(first, last, times)
    assert len(looked) == 3  # of the whole, the first half and the first quarter
    assert torch.equal(made, torch.cat([network(first, last, time) for time in times]))


def test_weights_for_any_time_get_the_time(network):
    network.any_time = True
    first, second = pictures(2)
    late, early = network(first, second, 0.7), network(first, second, 0.2)
    assert not torch.allclose(late, early, atol=1e-4)


def test_a_batch_is_its_pairs(network):
    first, second, third = pictures(3)
    times = torch.tensor([0.25, 0.5]).view(2, 1, 1, 1).expand(2, 1, 32, 48)
    made = network(torch.cat([first, second]), torch.cat([second, third]), times)
    wanted = torch.cat([network(first, second, 0.25), network(second, third, 0.5)])
    assert torch.allclose(made, wanted, atol=1e-5)


def test_features_are_kept_from_pair_to_pair(network):
    first, second = pictures(2)
    cache = {"img0": network.extract_features(first), "img1": network.extract_features(second)}
    both = torch.cat([first, first]), torch.cat([second, second])
    times = torch.tensor([0.5, 0.75])
    assert torch.allclose(network(*both, times, cache), network(*both, times), atol=1e-5)


@pytest.mark.parametrize("scale", [0.5, 0.25])
def test_motion_may_be_looked_for_in_smaller_frames(network, scale):
    first, second = pictures(2, 64, 64)
    made = network(first, second, scale=scale)
    assert made.shape == first.shape
    assert not torch.allclose(made, network(first, second), atol=1e-3)


@pytest.mark.parametrize(("factor", "scale"), [(2, "1"), (4, "1"), (3, "0.5")])
def test_it_fills_a_batch_of_images(network, factor, scale):
    images = torch.rand(3, 20, 36, 3, generator=torch.Generator().manual_seed(0))
    images = images.cumsum(0) / 3
    done = KinoInterpolateFrames.execute(managed(network), images, factor, 0, 0.0, 0, scale, 0)
    made, count, _ = done.args
    assert count == len(made) == 2 * factor + 1
    assert torch.equal(made[::factor], images)
    assert not torch.equal(made[1], made[0])


def test_sides_that_do_not_fit_are_refused(network):
    with pytest.raises(ValueError, match=r"48×40 .* multiples of 16"):
        network(*pictures(2, 40, 48))
    with pytest.raises(ValueError, match=r"scale of 0\.5 .* multiples of 32"):
        network(*pictures(2, 48, 64), scale=0.5)


def test_bfloat16_is_close(network):
    first, second = pictures(2)
    wanted = network(first, second)
    made = network.to(torch.bfloat16, memory_format=torch.channels_last)(first, second)
    assert made.dtype == torch.float32
    assert relative_error(made, wanted) <= 0.02


def test_it_can_be_trained():
    torch.manual_seed(0)
    network = VFIMamba(TINY)
    first, second = pictures(2, 16, 32)
    (network(first, second) - first).square().mean().backward()
    without = [name for name, tensor in network.named_parameters() if tensor.grad is None]
    assert not without
    assert network.feature_bone.block3.blocks[0].self_attention.A_logs.grad.abs().sum() > 0
