/** Times and frames as text. */

/** Seconds as `m:ss.mmm`, or `h:mm:ss.mmm` from an hour on. */
export function timeCode(seconds) {
  const thousandths = Math.round(Math.max(seconds, 0) * 1000);
  const part = (size, count, digits) => String(Math.floor(thousandths / size) % count).padStart(digits, "0");
  const hours = Math.floor(thousandths / 3_600_000);
  const minutes = hours ? `${hours}:${part(60_000, 60, 2)}` : part(60_000, 60, 1);
  return `${minutes}:${part(1000, 60, 2)}.${part(1, 1000, 3)}`;
}

/** The frame shown at a time: a player may stand a hair before a frame's own time. */
export function frameAt(seconds, fps, frames) {
  return Math.min(Math.max(Math.floor(seconds * fps + 0.01), 0), Math.max(frames - 1, 0));
}

/** The middle of a frame's time, where a seek is sure to land on it. */
export function timeOf(frame, fps) {
  return (frame + 0.5) / fps;
}
