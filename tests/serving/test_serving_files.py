"""Files: shown in parts and small, uploaded under safe names, and never out of their folders."""

from __future__ import annotations

import io
import json
import os

import pytest
from kinograph.host.server.places import BadNameError, readable_path, safe_name, writable_path
from PIL import Image, PngImagePlugin
from serving.live_server import form

CANARY = b"no request may ever see this"

ESCAPES = [
    "../canary.txt",
    "..%2fcanary.txt",
    "%2e%2e/canary.txt",
    "%2e%2e%2fcanary.txt",
    "..%5ccanary.txt",
    "..%255ccanary.txt",
    "%252e%252e%252fcanary.txt",
    "....//canary.txt",
    "a/../../canary.txt",
    "{root}/canary.txt",
    "%2f{root}/canary.txt",
    "file:///{root}/canary.txt",
    "C:%5ccanary.txt",
    "%5c%5chost%5cshare%5ccanary.txt",
    "canary.txt%00.png",
    "link.txt",
    "linked/canary.txt",
    "CON",
    "%ff%fe",
]


@pytest.fixture(scope="module")
def traps(server):
    """A file beside the folders, and links to it inside them."""
    (server.folder / "canary.txt").write_bytes(CANARY)
    for name in ("input", "output", "user/default"):
        folder = server.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "link.txt").symlink_to(server.folder / "canary.txt")
        (folder / "linked").symlink_to(server.folder)
    yield server
    for name in ("input", "output", "user/default"):
        (server.folder / name / "link.txt").unlink()
        (server.folder / name / "linked").unlink()


@pytest.mark.parametrize("name", ESCAPES)
@pytest.mark.parametrize(
    "route",
    [
        "/view?type=input&filename={}",
        "/view?filename={}",
        "/view?filename={}%20%5Binput%5D",
        "/view?type=input&subfolder=..&filename={}",
        "/view?type=input&preview=webp&filename={}",
        "/view?type=input&channel=rgb&filename={}",
        "/userdata/{}",
        "/userdata?dir={}",
        "/v2/userdata?path={}",
        "/extensions/kinograph/{}",
        "/workflow_templates/kinograph/{}",
        "/view_metadata/vae?filename={}",
        "/experiment/models/preview/vae/0/{}",
        "/docs/{}",
        "/templates/{}",
        "/{}",
        "/assets/{}",
    ],
)
def test_no_name_leads_out_of_its_folder(traps, route, name):
    answer = traps.get(route.format(name.format(root=str(traps.folder))))
    assert answer.status < 500
    assert CANARY not in answer.body
    assert b"canary.txt" not in answer.body or answer.status >= 400


@pytest.mark.parametrize("name", [*ESCAPES, "a%3ab", "trailing.", "nul.json", "x" * 300])
def test_nothing_is_written_outside_of_the_user_s_folder(traps, name):
    before = listing(traps.folder)
    target = name.format(root=str(traps.folder)).replace("/", "%2F")
    for method, path in (
        ("POST", f"/userdata/{target}"),
        ("DELETE", f"/userdata/{target}"),
        ("POST", f"/userdata/mine.json/move/{target}"),
    ):
        traps.post("/userdata/mine.json", b"{}")
        assert traps.request(method, path, b"written").status < 500
    assert (traps.folder / "canary.txt").read_bytes() == CANARY
    changed = listing(traps.folder) ^ before
    assert all(path.startswith("user/default/") for path in changed)


def listing(folder):
    found = (os.path.join(place, name) for place, _, names in os.walk(folder) for name in names)
    return {os.path.relpath(path, folder) for path in found if "__kinograph" not in path}


def test_a_film_is_given_in_parts(server, film):
    whole = server.get("/view?type=input&filename=film.mp4")
    assert whole.headers["Content-Type"] == "video/mp4" and whole.headers["Accept-Ranges"] == "bytes"
    assert "inline" in whole.headers["Content-Disposition"]
    part = server.get("/view?type=input&filename=film.mp4", Range="bytes=10-19")
    assert (part.status, part.body) == (206, film[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(film)}"
    assert server.get("/view?type=input&filename=film.mp4", Range="bytes=99999999-").status == 416


@pytest.fixture(scope="module")
def film(server):
    """film.mp4 in the input folder: four frames of 64 × 48; its bytes."""
    import av
    import numpy as np

    path = server.folder / "input" / "film.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=12)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for _ in range(4):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 200, np.uint8), format="rgb24")
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    return path.read_bytes()


def test_the_preview_of_a_film_is_its_first_frame(server, film):
    answer = server.get("/view?type=input&filename=film.mp4&preview=jpeg;80&res=32")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.body)).size == (32, 24)


@pytest.fixture(scope="module")
def picture(server):
    """picture.png in the input folder, half transparent, with a text entry."""
    path = server.folder / "input" / "picture.png"
    texts = PngImagePlugin.PngInfo()
    texts.add_text("prompt", "{}")
    Image.new("RGBA", (40, 20), (255, 0, 0, 128)).save(path, pnginfo=texts)
    return path


def test_pictures_are_shown_small_or_by_channel(server, picture):
    def shown(query):
        return Image.open(io.BytesIO(server.get(f"/view?type=input&filename=picture.png{query}").body))

    assert shown("").size == (40, 20)
    small = shown("&preview=webp;50&res=20")
    assert (small.format, small.size) == ("WEBP", (20, 10))
    assert shown("&channel=rgb").mode == "RGB"
    assert shown("&channel=a").getchannel("A").getpixel((0, 0)) == 128
    assert shown("&preview=jpeg&channel=rgb").format == "JPEG"


def test_what_is_no_picture_has_no_preview(server):
    (server.folder / "input" / "broken.png").write_bytes(b"no picture")
    assert server.get("/view?type=input&filename=broken.png&preview=webp").status == 415
    assert server.get("/view?type=input&filename=broken.png&channel=rgb").status == 415


@pytest.mark.parametrize(
    "name", ["page.html", "code.js", "drawing.svg", "data.xml", "style.css", "page.xhtml"]
)
def test_what_could_run_is_only_downloaded(server, name):
    (server.folder / "output" / name).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    headers = server.get(f"/view?filename={name}").headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment")
    if name.endswith(".svg"):
        headers = server.get(f"/view?filename={name}", **{"Sec-Fetch-Dest": "image"}).headers
        assert headers["Content-Type"] == "image/svg+xml" and headers["Vary"] == "Sec-Fetch-Dest"


def upload(server, name, content, path="/upload/image", **fields):
    body, headers = form(name, content, **fields)
    return server.request("POST", path, body, headers)


def test_an_upload_gets_its_name_or_another_one(server):
    assert upload(server, "clip.mp4", b"one").json == {"name": "clip.mp4", "subfolder": "", "type": "input"}
    before = (server.folder / "input" / "clip.mp4").stat()
    assert upload(server, "clip.mp4", b"one").json["name"] == "clip.mp4"
    assert (server.folder / "input" / "clip.mp4").stat().st_ino == before.st_ino, (
        "an equal file is not touched"
    )
    assert upload(server, "clip.mp4", b"two").json["name"] == "clip (1).mp4"
    assert upload(server, "clip.mp4", b"three", overwrite="true").json["name"] == "clip.mp4"
    folder = server.folder / "input"
    assert (folder / "clip.mp4").read_bytes() == b"three" and (folder / "clip (1).mp4").read_bytes() == b"two"
    answer = upload(server, "clip.mp4", b"four", subfolder="takes/first", type="temp")
    assert answer.json == {"name": "clip.mp4", "subfolder": "takes/first", "type": "temp"}
    assert server.get("/view?type=temp&subfolder=takes/first&filename=clip.mp4").body == b"four"


@pytest.mark.parametrize(
    "name",
    [
        "../../up.png",
        "/etc/up.png",
        "C:\\up.png",
        "\\\\host\\up.png",
        "up\u202e.png",
        "..png",
        "nul.png",
        "a\tb.png",
        "x" * 400 + ".png",
        "up.png.",
        "<script>.png",
    ],
)
def test_uploads_are_stored_under_safe_names(server, name):
    before = listing(server.folder)
    answer = upload(server, name, b"content")
    new = listing(server.folder) - before
    if answer.status == 200:
        assert all(path.startswith("input/") and len(os.path.basename(path).encode()) <= 200 for path in new)
        stored = answer.json["name"]
        assert (server.folder / "input" / stored).read_bytes() == b"content"
    else:
        assert answer.status in (400, 415) and not new


@pytest.mark.parametrize(
    "name", ["page.html", "drawing.svg", "code.py", "model.pkl", "run.exe", "noextension", "x.php"]
)
def test_other_types_are_not_taken(server, name):
    assert upload(server, name, b"content").status == 415


@pytest.mark.parametrize("subfolder", ["../up", "/etc", "a/../../b", "C:\\x", "a\x00b", "nul", "a:b"])
def test_a_subfolder_leads_nowhere_else(server, subfolder):
    before = listing(server.folder)
    assert upload(server, "up.png", b"content", subfolder=subfolder, type="output").status == 400 or (
        listing(server.folder) - before <= {"output/etc/up.png"}
    )


def test_an_upload_that_is_too_large_leaves_nothing(start):
    server = start("--max-upload-size", "0.001")
    assert upload(server, "big.png", b"x" * 2000).status == 413
    assert upload(server, "small.png", b"x" * 900).status == 200
    assert os.listdir(server.folder / "input") == ["small.png"]
    assert not [name for _, _, names in os.walk(server.folder / "temp") for name in names]


def test_a_mask_is_laid_over_the_picture_that_it_was_painted_for(server, picture):
    mask = io.BytesIO()
    Image.new("RGBA", (40, 20), (0, 0, 0, 7)).save(mask, "PNG")
    reference = json.dumps({"filename": "picture.png", "type": "input", "subfolder": ""})
    answer = upload(server, "masked.png", mask.getvalue(), "/upload/mask", original_ref=reference)
    masked = Image.open(server.folder / "input" / answer.json["name"])
    assert masked.getpixel((0, 0)) == (255, 0, 0, 7) and masked.text["prompt"] == "{}"


@pytest.mark.parametrize(
    "reference", ["", "[]", "{}", '{"filename": "../canary.txt", "type": "input"}', "[" * 999]
)
def test_a_mask_for_nothing_is_refused(server, reference):
    answer = upload(server, "masked2.png", b"x", "/upload/mask", original_ref=reference)
    assert answer.status in (400, 404)


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("clip.mp4", "clip.mp4"),
        ("a/b\\c.png", "c.png"),
        ("naïve 名前.png", "naïve 名前.png"),
        ("...hidden.png", "hidden.png"),
        ("aux.png", "_aux.png"),
        ('q"?*.png', "q___.png"),
        ("end. .png", "end.png"),
        ("\ud800x.png", "x.png"),
    ],
)
def test_safe_names_stay_near_to_the_given_ones(name, stored):
    assert safe_name(name) == stored


@pytest.mark.parametrize("name", ["", "...", "/", ". .", "x." + "y" * 300])
def test_a_name_of_nothing_is_refused(name):
    with pytest.raises(BadNameError):
        safe_name(name)


def test_readable_and_writable_paths_differ_in_what_systems_can_store(tmp_path):
    assert readable_path(str(tmp_path), "a/b:c.png") == tmp_path / "a" / "b:c.png"
    for name in ("a/b:c.png", "con/x.png", "a//b.png", "./x.png", "x ", "x\ny"):
        with pytest.raises(BadNameError):
            writable_path(str(tmp_path), name)
