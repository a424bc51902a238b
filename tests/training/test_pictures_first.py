"""Video autoencoders that learnt pictures first."""

from __future__ import annotations

import pytest
import torch
from kinograph.nodes.vae.wan21 import Wan21Config
from kinograph.training.pictures_first import inflated, picture_network
from kinograph.training.train_vae import Run, make_nearly_linear, training_step

CONFIG = Wan21Config(width=4)


@pytest.fixture(scope="module")
def pictures():
    torch.manual_seed(3)
    network = picture_network(CONFIG)
    make_nearly_linear(network)
    for name, weight in network.named_parameters():
        if "residual" in name and weight.dim() > 3:
            torch.nn.init.normal_(weight, std=0.05)  # no branch stays silent
    return network


def test_an_inflated_network_does_the_same_to_a_picture(pictures):
    film_network = inflated(pictures.state_dict(), CONFIG)
    picture = torch.rand(2, 3, 1, 16, 24) * 2 - 1
    mean, _, _ = pictures.encode_chunk(picture, None)
    found, _, _ = film_network.encode_chunk(picture, None)
    torch.testing.assert_close(found, mean, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        film_network.decode_chunk(mean, None)[0], pictures.decode_chunk(mean, None)[0], atol=1e-5, rtol=1e-4
    )


def test_a_film_that_stands_still_is_its_picture_in_every_frame(pictures):
    film_network = inflated(pictures.state_dict(), CONFIG)
    picture = torch.rand(1, 3, 1, 16, 16) * 2 - 1
    latents, _, _ = film_network.encode_chunk(picture.expand(-1, -1, 9, -1, -1), None)
    film, _ = film_network.decode_chunk(latents, None)
    assert film.shape == (1, 3, 9, 16, 16)
    torch.testing.assert_close(film, film[:, :, :1].expand_as(film), atol=1e-4, rtol=1e-3)


def test_a_run_goes_from_pictures_to_films_and_on_from_its_checkpoint(tmp_path):
    run = Run.start(4)
    training_step(run, torch.rand(2, 3, 1, 16, 16), 1.0)
    films = run.inflated()
    assert films.of_films and films.step == films.films_from == 1
    training_step(films, torch.rand(1, 3, 5, 16, 16), 1.0)
    films.save(tmp_path / "checkpoint.pt")
    again = Run.resume(tmp_path / "checkpoint.pt")
    assert (again.of_films, again.step, again.films_from) == (True, 2, 1)
    for name, weight in films.network.state_dict().items():
        assert again.network.state_dict()[name].equal(weight)
