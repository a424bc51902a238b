/** While a film is sampled, its previews play on the node that samples it. */
import { runningNode } from "./graph_nodes.js";
import { panelOf } from "./panel.js";
import { filmView } from "./views/film.js";

/** Nodes whose previews are contact sheets of a film. */
export const SAMPLERS = new Set(["KinoSampler"]);

export function watchSampling(app, api) {
  api.addEventListener("b_preview_with_metadata", ({ detail }) => {
    const node = runningNode(app, detail.displayNodeId ?? detail.nodeId);
    if (!SAMPLERS.has(node?.comfyClass)) return;
    const panel = panelOf(app, node);
    if (!panel.get("film")) panel.show("film", filmView(() => panel.fit()));
    panel.get("film").update(detail.blob);
  });
}
