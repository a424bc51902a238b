/**
 * Previews of a film arrive as one JPEG of pictures in a grid, whose comment tells the grid:
 * `kinograph: 13 pictures, 4 columns`. These functions read it and find each picture's place.
 */
const COMMENT = 0xfe;
const START_OF_SCAN = 0xda;
const FACTS = /^kinograph: (\d+) pictures, (\d+) columns/;

/** The text of a JPEG's first comment; "" where there is none. */
export function jpegComment(bytes) {
  let at = 2; // behind the start-of-image marker
  while (at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== START_OF_SCAN) {
    const length = bytes[at + 2] * 256 + bytes[at + 3];
    if (bytes[at + 1] === COMMENT) return new TextDecoder().decode(bytes.subarray(at + 4, at + 2 + length));
    at += 2 + length;
  }
  return "";
}

/** `{ count, columns, rows }` of a preview; a picture that says nothing is one picture. */
export function gridOf(bytes) {
  const facts = FACTS.exec(jpegComment(bytes));
  if (!facts) return { count: 1, columns: 1, rows: 1 };
  const [count, columns] = [Number(facts[1]), Number(facts[2])];
  return { count, columns, rows: Math.ceil(count / columns) };
}

/** Where picture `index` lies in a sheet of that size: `[left, top, width, height]` in pixels. */
export function placeOf(index, { columns, rows }, width, height) {
  const [wide, high] = [width / columns, height / rows];
  return [(index % columns) * wide, Math.floor(index / columns) * high, wide, high];
}
