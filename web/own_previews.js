/** Nodes that show their previews and files in their panel, in place of the editor's own preview. */
import { SAMPLERS } from "./sampling.js";

const PLAYERS = new Set(["KinoEncodeVideo"]);

/** Keep the editor from drawing a second preview on nodes of this type. */
export function ownPreviews(nodeType, name) {
  if (!SAMPLERS.has(name) && !PLAYERS.has(name)) return;
  nodeType.prototype.onDrawBackground = () => {}; // where the classic rendering draws it
  nodeType.prototype.hideOutputImages = true; // what the Vue rendering asks
}
