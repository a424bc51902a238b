/**
 * Two videos of one size on top of each other, with a line between them that follows the pointer.
 *
 * Facts: `{ before, after: { filename, subfolder, type }, before_name, after_name, fps, frames, width, height }`.
 * Left of the line is `before`, right of it `after`.
 */
import { frameAt, timeCode, timeOf } from "../time_code.js";
import { word } from "../words.js";
import { el } from "./dom.js";
import { release } from "./player.js";

const BAR = 26;
const [PLAY, PAUSE] = ["▶", "❚❚"];

export function compareView(facts, urlOf) {
  const shape = facts.width / facts.height;
  const film = (file) =>
    el("video", "kino-video", { src: urlOf(file), loop: true, muted: true, playsInline: true, preload: "auto" });
  const [before, after] = [film(facts.before), film(facts.after)];
  const line = el("div", "kino-line", { title: word("slide") });
  const stage = el(
    "div",
    "kino-stage",
    {},
    after,
    before,
    line,
    el("span", "kino-name kino-left", { textContent: facts.before_name }),
    el("span", "kino-name kino-right", { textContent: facts.after_name }),
  );
  stage.style.aspectRatio = shape;
  followPointer(stage, before, line);
  keepTogether(before, after, facts.fps);
  const element = el("div", "kino-compare", {}, stage, scrubBar(before, facts));
  const stop = () => [before, after].forEach(release);
  return { element, height: (width) => width / shape + BAR, stop };
}

function followPointer(stage, before, line) {
  const cutAt = (share) => {
    before.style.clipPath = `inset(0 ${100 - 100 * share}% 0 0)`;
    line.style.left = `${100 * share}%`;
  };
  stage.addEventListener("pointermove", ({ clientX }) => {
    const { left, width } = stage.getBoundingClientRect();
    cutAt(Math.min(Math.max((clientX - left) / width, 0), 1));
  });
  cutAt(0.5);
}

/** The second video does what the first does, and never stands further from it than half a frame. */
function keepTogether(leader, follower, fps) {
  const meet = () => {
    if (Math.abs(follower.currentTime - leader.currentTime) > 0.5 / fps) follower.currentTime = leader.currentTime;
  };
  leader.addEventListener("play", () => follower.play());
  leader.addEventListener("pause", () => {
    follower.pause();
    meet();
  });
  leader.addEventListener("seeking", meet);
  leader.addEventListener("timeupdate", meet);
}

function scrubBar(video, facts) {
  const play = el("button", "kino-step", { textContent: PLAY, title: word("play") });
  play.onclick = () => (video.paused ? video.play() : video.pause());
  video.addEventListener("play", () => (play.textContent = PAUSE));
  video.addEventListener("pause", () => (play.textContent = PLAY));
  const scrub = el("input", "kino-scrub", { type: "range", min: 0, max: Math.max(facts.frames - 1, 0), value: 0 });
  scrub.oninput = () => {
    video.pause();
    video.currentTime = timeOf(Number(scrub.value), facts.fps);
  };
  const place = el("span", "kino-place", { textContent: timeCode(0) });
  const told = () => {
    scrub.value = frameAt(video.currentTime, facts.fps, facts.frames);
    place.textContent = timeCode(video.currentTime);
  };
  for (const event of ["timeupdate", "seeked"]) video.addEventListener(event, told);
  const bar = el("div", "kino-bar", {}, play, scrub, place);
  bar.addEventListener("pointerdown", (event) => event.stopPropagation());
  return bar;
}
