/**
 * Tags of mkv and webm files (RFC 9559).
 *
 * An element is an id, a size and its content; both numbers tell their own length by the zeros in front.
 */
const SEGMENT = 0x18538067;
const TAGS = 0x1254c367;
const TAG = 0x7373;
const SIMPLE_TAG = 0x67c8;
const NAME = 0x45a3;
const STRING = 0x4487;
const EBML = 0x1a45dfa3;
const LARGEST_TAGS = 256 * 1024 * 1024;
const LONGEST_HEADER = 12;

/** Tag → text, names in lower case. */
export async function matroskaTags(file) {
  const tags = new Map();
  const segment = await findElement(file, 0, file.size, SEGMENT);
  let at = segment?.start ?? file.size;
  while (at < (segment?.end ?? 0)) {
    const list = await findElement(file, at, segment.end, TAGS);
    if (!list || list.end - list.start > LARGEST_TAGS) break;
    const bytes = new Uint8Array(await file.slice(list.start, list.end).arrayBuffer());
    for (const [name, value] of simpleTags(bytes)) tags.set(name.toLowerCase(), value);
    at = list.end;
  }
  return tags;
}

/** The first element of an id between two places of a file, found by the elements' headers alone. */
async function findElement(file, start, end, id) {
  if (start === 0 && (await headerIn(file, 0, end))?.id !== EBML) return null;
  for (let at = start; at < end; ) {
    const header = await headerIn(file, at, end);
    if (!header) return null;
    if (header.id === id) return header;
    at = header.end;
  }
  return null;
}

async function headerIn(file, at, end) {
  const bytes = new Uint8Array(await file.slice(at, Math.min(at + LONGEST_HEADER, end)).arrayBuffer());
  const header = headerAt(bytes, 0);
  if (!header) return null;
  const start = at + header.start;
  return { id: header.id, start, end: header.size === null ? end : Math.min(start + header.size, end) };
}

/** `{ id, start, size }` of the element at `at`; a size of all ones means unknown, to the end. */
function headerAt(bytes, at) {
  const id = numberAt(bytes, at, false);
  const size = id && numberAt(bytes, id.next, true);
  return size ? { id: id.value, start: size.next, size: size.unknown ? null : size.value } : null;
}

function numberAt(bytes, at, dropMarker) {
  const length = Math.clz32(bytes[at] ?? 0) - 23;
  if (length > 8 || at + length > bytes.length) return null;
  let value = dropMarker ? bytes[at] & (0xff >> length) : bytes[at];
  let unknown = value === 0xff >> length;
  for (let index = 1; index < length; index++) {
    value = value * 256 + bytes[at + index];
    unknown &&= bytes[at + index] === 0xff;
  }
  return { value, unknown, next: at + length };
}

function* elements(bytes) {
  for (let at = 0; at < bytes.length; ) {
    const header = headerAt(bytes, at);
    if (!header) return;
    at = header.start + (header.size ?? bytes.length);
    yield { id: header.id, content: bytes.subarray(header.start, at) };
  }
}

function* simpleTags(bytes) {
  for (const { id, content } of elements(bytes)) {
    if (id === TAG) yield* simpleTags(content);
    if (id !== SIMPLE_TAG) continue;
    const parts = new Map([...elements(content)].map((part) => [part.id, part.content]));
    if (parts.has(NAME) && parts.has(STRING)) yield [text(parts.get(NAME)), text(parts.get(STRING))];
  }
}

const text = (bytes) => new TextDecoder().decode(bytes).replace(/\0+$/, "");
