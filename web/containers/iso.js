/**
 * Tags of mp4 and mov files (ISO 14496-12 boxes; the tag lists `keys` and `ilst` are QuickTime's).
 *
 * A box is a 32-bit size, a four-letter type and its content; size 1 means a 64-bit size follows.
 */
const LARGEST_MOOV = 256 * 1024 * 1024;

/** Tag → text, names in lower case. */
export async function isoTags(file) {
  const moov = await findBox(file, "moov");
  if (!moov || moov.end - moov.start > LARGEST_MOOV) return new Map();
  const bytes = new Uint8Array(await file.slice(moov.start, moov.end).arrayBuffer());
  const udta = childBox(bytes, 0, bytes.length, "udta");
  const meta = (udta && childBox(bytes, udta.start, udta.end, "meta")) ?? childBox(bytes, 0, bytes.length, "meta");
  return meta ? tagsIn(bytes, meta) : new Map();
}

/** A top-level box of a file, found by the boxes' headers alone. */
async function findBox(file, type) {
  for (let at = 0; at + 8 <= file.size; ) {
    const header = new DataView(await file.slice(at, at + 16).arrayBuffer());
    const box = boxAt(header, 0, file.size - at);
    if (!box) return null;
    if (box.type === type) return { start: at + box.start, end: at + box.end };
    at += box.end;
  }
  return null;
}

/** The box whose header stands at `at`; its content lies from `start` to `end`. */
function boxAt(view, at, limit) {
  const type = String.fromCharCode(...[4, 5, 6, 7].map((byte) => view.getUint8(at + byte)));
  let size = view.getUint32(at);
  let header = 8;
  if (size === 1 && at + 16 <= view.byteLength) {
    size = Number(view.getBigUint64(at + 8));
    header = 16;
  } else if (size === 0) size = limit - at;
  return size < header || at + size > limit ? null : { type, start: at + header, end: at + size };
}

function* boxes(bytes, start, end) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = start; at + 8 <= end; ) {
    const box = boxAt(view, at, end);
    if (!box) return;
    yield box;
    at = box.end;
  }
}

function childBox(bytes, start, end, type) {
  for (const box of boxes(bytes, start, end)) if (box.type === type) return box;
  return null;
}

/** `keys` names the tags, `ilst` holds their values under the keys' numbers, counted from 1. */
function tagsIn(bytes, meta) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // In mp4 four bytes of version and flags stand before the first box, in mov none.
  const start = [meta.start + 4, meta.start].find((at) => childBox(bytes, at, meta.end, "keys"));
  const keys = start && childBox(bytes, start, meta.end, "keys");
  const list = start && childBox(bytes, start, meta.end, "ilst");
  if (!keys || !list) return new Map();
  const names = [...boxes(bytes, keys.start + 8, keys.end)].map((box) => text(bytes, box.start, box.end));
  const tags = new Map();
  for (const item of boxes(bytes, list.start, list.end)) {
    const name = names[view.getUint32(item.start - 4) - 1];
    const data = childBox(bytes, item.start, item.end, "data");
    if (name && data) tags.set(name.toLowerCase(), text(bytes, data.start + 8, data.end));
  }
  return tags;
}

const text = (bytes, start, end) => new TextDecoder().decode(bytes.subarray(start, end));
