"""Sampling, captions and the sentences that describe clips."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from kinograph.nodes.synthetic import vocabulary as words
from kinograph.nodes.synthetic.captions import attributes, canonical_caption, captions
from kinograph.nodes.synthetic.parsing import parse_caption
from kinograph.nodes.synthetic.sampling import ClipOptions, HeldOut, sample_clip
from kinograph.nodes.synthetic.spec import ClipSpec, SpecError

MIXED = ClipOptions(kind="mixed", seconds=6.0, max_objects=4)


def said(clip: ClipSpec) -> list[dict]:
    """What a caption tells of each scene: not its times, palette, skin or words."""
    scenes = attributes(clip)["scenes"]
    for scene in scenes:
        for name in ("start", "seconds", "palette"):
            del scene[name]
        if scene["face"]:
            face = scene["face"]
            scene["face"] = {"style": face["hair_style"], "shirt": face["shirt"]}
            if face["hair_style"] != "bald":
                scene["face"]["hair"] = face["hair"]
    return scenes


@pytest.mark.parametrize("seed", range(40))
def test_the_canonical_caption_is_read_back_as_what_it_says(seed):
    clip = sample_clip(seed, MIXED)
    assert said(parse_caption(canonical_caption(clip), 1, MIXED)) == said(clip)


@pytest.mark.parametrize("seed", range(15))
def test_paraphrases_differ_but_say_the_same_things(seed):
    clip = sample_clip(seed, ClipOptions(max_objects=3))
    wordings = captions(clip)
    assert wordings == captions(clip)
    assert len(set(wordings)) >= 3
    for wording in wordings:
        for obj in clip.scenes[0].objects:
            assert f"{obj.shape} " in wording
            assert obj.color in wording
    assert said(parse_caption(wordings[1], 0)) == said(clip)


def test_every_motion_background_and_camera_phrase_is_understood():
    for motion, phrases in words.MOTIONS.items():
        for phrase in phrases:
            clip = parse_caption(f"a red circle {phrase}", 0)
            assert clip.scenes[0].objects[0].motion.kind == motion
    for name, table in (("background", words.BACKGROUNDS), ("camera", words.CAMERAS)):
        for key, phrases in table.items():
            for phrase in phrases:
                scene = parse_caption(f"a red circle, {phrase}", 0).scenes[0]
                assert (scene.background.kind if name == "background" else scene.camera.move) == key


def test_a_sentence_becomes_scenes_with_a_cut():
    clip = parse_caption(
        "A big red striped circle moving right and a blue star. Then a bald person talking.",
        7,
        ClipOptions(seconds=4.0),
    )
    first, second = clip.scenes
    circle, star = first.objects
    assert (circle.size, circle.color, circle.texture, circle.motion.kind) == (
        "large",
        "red",
        "striped",
        "right",
    )
    assert (star.size, star.texture, star.motion.kind) == ("medium", "solid", "still")
    assert second.face.hair_style == "bald"
    assert clip.cut_times == (2.0,)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a red unicorn galloping", "unknown words: unicorn, galloping.*shapes: circle, square"),
        ("a circle", "circle has no colour"),
        ("moving right a red circle", "comes before any shape"),
        ("a red", "describes nothing"),
        ("a red blue circle", "'red' and 'blue' describe the same thing"),
        ("the camera pans left", "shows nothing"),
        (" and ".join(["a red circle"] * 5), "5 shapes; at most 4"),
    ],
)
def test_a_sentence_that_cannot_be_shown_is_refused_with_the_reason(text, complaint):
    with pytest.raises(SpecError, match=complaint):
        parse_caption(text, 0)


@pytest.mark.parametrize("kind", words.KINDS)
def test_a_description_survives_json(kind):
    for seed in range(10):
        clip = sample_clip(
            seed, ClipOptions(kind=kind, seconds=3.0, max_objects=4, fps=Fraction(30000, 1001))
        )
        assert ClipSpec.from_json(clip.to_json()) == clip


@pytest.mark.parametrize(
    "change",
    [
        {"width": 2},
        {"fps": "0"},
        {"scenes": []},
        {"surprise": 1},
        {"height": "tall"},
        {"seed": None},
        {"scenes": [{"start": 0, "seconds": 0}]},
        {"scenes": [{"start": 0, "seconds": 1, "camera": {"move": "roll", "amount": "much"}}]},
        {"scenes": [{"start": 0, "seconds": 1, "objects": [{"shape": "blob", "color": "red"}]}]},
        {"scenes": [{"start": 0, "seconds": 1}, {"start": 3, "seconds": 1}]},
    ],
)
def test_json_of_an_impossible_clip_is_refused(change):
    values = json.loads(sample_clip(0).to_json()) | change
    with pytest.raises(SpecError):
        ClipSpec.from_json(json.dumps(values))


@pytest.mark.parametrize(
    "wrong",
    [{"shapes": ()}, {"cameras": ("fly",)}, {"kind": "cats"}, {"max_objects": 5}, {"pace": 0.0}],
)
def test_options_that_leave_nothing_to_draw_are_refused(wrong):
    with pytest.raises(SpecError):
        ClipOptions(**wrong)


def test_text_that_is_no_json_is_refused():
    for text in ("", "[1]", "null", "[" * 100_000):
        with pytest.raises(SpecError):
            ClipSpec.from_json(text)


def test_held_out_combinations_are_never_drawn():
    rule = HeldOut(share=0.3, salt=5)
    options = ClipOptions(max_objects=4, hold_out=rule)
    drawn = [obj for seed in range(150) for obj in sample_clip(seed, options).scenes[0].objects]
    assert not any(map(rule, drawn))
    free = [
        obj for seed in range(150) for obj in sample_clip(seed, ClipOptions(max_objects=4)).scenes[0].objects
    ]
    assert 0.2 < sum(map(rule, free)) / len(free) < 0.4


def test_holding_everything_out_is_an_error_not_an_endless_search():
    with pytest.raises(SpecError, match="hold_out leaves no combination"):
        sample_clip(0, ClipOptions(hold_out=lambda obj: True))


def test_every_word_of_the_vocabulary_is_drawn():
    clips = [sample_clip(seed, MIXED) for seed in range(250)]
    scenes = [scene for clip in clips for scene in clip.scenes]
    objects = [obj for scene in scenes for obj in scene.objects]
    faces = [scene.face for scene in scenes if scene.face]
    assert {obj.shape for obj in objects} == set(words.SHAPES)
    assert {obj.color for obj in objects} == set(words.COLORS)
    assert {obj.texture for obj in objects} == set(words.TEXTURES)
    assert {obj.size for obj in objects} == set(words.SIZES)
    assert {obj.motion.kind for obj in objects} == set(words.MOTIONS)
    assert {scene.background.kind for scene in scenes} == set(words.BACKGROUNDS)
    assert {scene.camera.move for scene in scenes} == set(words.CAMERAS)
    assert {face.hair_style for face in faces} == set(words.HAIR_STYLES)
    assert {len(scene.objects) for scene in scenes if not scene.face} == {1, 2, 3, 4}


def test_mixed_clips_are_cut_on_whole_frames():
    for seed in range(20):
        clip = sample_clip(seed, MIXED)
        assert clip.cut_times
        for time in clip.cut_times:
            assert time == clip.frame_time(round(time * clip.fps))
