/**
 * Spans of a video, scenes or captions, on a line of time.
 *
 * Facts: `{ duration, spans: [{ start, end, label }] }`, in seconds. Spans that overlap get rows of their own.
 */
import { timeCode } from "../time_code.js";
import { word } from "../words.js";
import { el } from "./dom.js";

const ROW = 24;
const TOLD = 22;

/** Which row each span goes to: the first where nothing is in its way. Spans are sorted by their start. */
export function rowsOf(spans) {
  const ends = [];
  return spans.map(({ start, end }) => {
    const free = ends.findIndex((taken) => taken <= start);
    const row = free < 0 ? ends.length : free;
    ends[row] = end;
    return row;
  });
}

export function timelineView(facts) {
  const spans = [...facts.spans].sort((one, other) => one.start - other.start);
  const rows = rowsOf(spans);
  const count = Math.max(...rows, 0) + 1;
  const told = el("div", "kino-told", { textContent: summary(spans, facts.duration) });
  const line = el("div", "kino-spans");
  line.style.height = `${count * ROW}px`;
  spans.forEach((span, index) => line.append(spanElement(span, index, rows[index], facts.duration, told)));
  line.addEventListener("pointerleave", () => (told.textContent = summary(spans, facts.duration)));
  return { element: el("div", "kino-timeline", {}, line, told), height: () => count * ROW + TOLD };
}

function spanElement(span, index, row, duration, told) {
  const name = `${index}${span.label ? ` ${span.label}` : ""}`;
  const length = (span.end - span.start).toFixed(2);
  const text = `${name} · ${timeCode(span.start)} – ${timeCode(span.end)} · ${length} ${word("seconds")}`;
  const element = el("div", "kino-span", { textContent: name, title: text });
  element.style.left = `${(100 * span.start) / duration}%`;
  element.style.width = `${(100 * (span.end - span.start)) / duration}%`;
  element.style.top = `${row * ROW}px`;
  element.style.setProperty("--hue", String((index * 47) % 360));
  element.addEventListener("pointerenter", () => (told.textContent = text));
  return element;
}

const summary = (spans, duration) => `${spans.length} · ${timeCode(duration)}`;
