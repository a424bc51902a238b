/**
 * A video or moving picture that a node wrote: plays in a loop, steps by frames, tells time and frame.
 *
 * Facts: `{ file: { filename, subfolder, type }, fps, frames, width, height }`.
 */
import { frameAt, timeCode, timeOf } from "../time_code.js";
import { word } from "../words.js";
import { el } from "./dom.js";

const BAR = 26;
const SPEEDS = [0.1, 0.25, 0.5, 1, 2];
const MOVING_PICTURE = /\.(gif|webp|png)$/i;

export function playerView(facts, urlOf) {
  const shape = facts.width / facts.height;
  return MOVING_PICTURE.test(facts.file.filename) ? pictureView(facts, urlOf, shape) : videoView(facts, urlOf, shape);
}

function pictureView(facts, urlOf, shape) {
  const picture = el("img", "kino-picture", { src: urlOf(facts.file), alt: facts.file.filename });
  picture.style.aspectRatio = shape;
  return { element: picture, height: (width) => width / shape };
}

function videoView(facts, urlOf, shape) {
  const video = el("video", "kino-video", {
    src: urlOf(facts.file),
    controls: true,
    loop: true,
    playsInline: true,
    preload: "metadata",
  });
  video.style.aspectRatio = shape;
  const place = el("span", "kino-place", { textContent: timeCode(0), title: word("place") });
  const element = el("div", "kino-player", {}, video, controlBar(video, facts, place));
  const told = () => {
    const frame = frameAt(video.currentTime, facts.fps, facts.frames);
    place.textContent = `${timeCode(video.currentTime)} · ${frame} / ${facts.frames}`;
  };
  for (const event of ["timeupdate", "seeked", "loadedmetadata"]) video.addEventListener(event, told);
  video.addEventListener("error", () => {
    const name = [facts.file.subfolder, facts.file.filename].filter(Boolean).join("/");
    element.replaceChildren(el("div", "kino-report", { textContent: `${word("unplayable")} ${name}` }));
  });
  return { element, height: (width) => width / shape + BAR, stop: () => release(video) };
}

function controlBar(video, facts, place) {
  const step = (label, title, frames) =>
    el("button", "kino-step", {
      textContent: label,
      title: word(title),
      onclick: () => {
        video.pause();
        video.currentTime = timeOf(frameAt(video.currentTime, facts.fps, facts.frames) + frames, facts.fps);
      },
    });
  const speed = el("select", "kino-speed", { title: word("speed") });
  for (const factor of SPEEDS) speed.append(el("option", "", { value: factor, textContent: `${factor}×` }));
  speed.value = 1;
  speed.onchange = () => (video.playbackRate = Number(speed.value));
  const bar = el("div", "kino-bar", {}, step("‹", "back", -1), step("›", "forward", 1), place, speed);
  bar.addEventListener("pointerdown", (event) => event.stopPropagation());
  return bar;
}

/** A removed player would go on loading and sounding. */
export function release(video) {
  video.pause();
  video.removeAttribute("src");
  video.load();
}
