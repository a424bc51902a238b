/** A node's report: plain text that can be selected and copied. */
import { el } from "./dom.js";

const LINE = 17;
const PADDING = 12;
const MOST_LINES = 12;
const CHARACTER = 6.6;

/** Lines that a text takes in a width in pixels, counting what wraps. */
export function wrappedLines(text, width) {
  const columns = Math.max(Math.floor((width - PADDING) / CHARACTER), 1);
  return text.split("\n").reduce((sum, line) => sum + Math.max(Math.ceil(line.length / columns), 1), 0);
}

export function reportView(text) {
  const element = el("div", "kino-report", { textContent: text });
  element.addEventListener("pointerdown", (event) => event.stopPropagation());
  return { element, height: (width) => PADDING + LINE * Math.min(wrappedLines(text, width), MOST_LINES) };
}
