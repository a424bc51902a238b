/** The graph in a film's tags, `workflow` and `prompt`, read by container without loading the whole file. */
import { isoTags } from "./containers/iso.js";
import { matroskaTags } from "./containers/matroska.js";

const READERS = { mp4: isoTags, m4v: isoTags, mov: isoTags, mkv: matroskaTags, webm: matroskaTags };

/** `{ workflow?, prompt? }` of a File, parsed; empty for other files and films without a graph. */
export async function graphInFilm(file) {
  const read = READERS[file.name.split(".").pop().toLowerCase()];
  const tags = read ? await read(file) : new Map();
  const found = {};
  for (const name of ["workflow", "prompt"]) {
    const graph = tags.has(name) ? parsed(tags.get(name)) : null;
    if (graph && typeof graph === "object" && !Array.isArray(graph)) found[name] = graph;
  }
  return found;
}

/** JSON as Python writes it: NaN and Infinity stand where JSON has no number. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return parsedWithoutNaN(text);
  }
}

function parsedWithoutNaN(text) {
  const outsideStrings = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;
  const repaired = text.replace(outsideStrings, (match) => (match.startsWith('"') ? match : "null"));
  try {
    return JSON.parse(repaired);
  } catch {
    return null;
  }
}
