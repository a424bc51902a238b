/**
 * What the editor adds for Kinograph's nodes. Everything here goes through the editor's public `app` and
 * `api`, so it works in ComfyUI and on the embedded host, in the classic and the Vue rendering of nodes.
 */
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { reopenGraphsOfFilms } from "./dropped_films.js";
import { showErrors } from "./errors.js";
import { isOurs, nodeAt } from "./graph_nodes.js";
import { keepMethodValues } from "./method_values.js";
import { ownPreviews } from "./own_previews.js";
import { showOutput } from "./outputs.js";
import { watchSampling } from "./sampling.js";
import { WIRE_SELECTED, wireSelected } from "./wiring.js";

const stylesheet = Object.assign(document.createElement("link"), {
  rel: "stylesheet",
  href: new URL("./kinograph.css", import.meta.url).href,
});
document.head.append(stylesheet);

app.registerExtension({
  name: "Kinograph",
  commands: [{ id: WIRE_SELECTED, label: "Wire the selected nodes", function: () => wireSelected(app) }],
  keybindings: [{ commandId: WIRE_SELECTED, combo: { key: "w", alt: true } }],
  menuCommands: [{ path: ["Edit"], commands: [WIRE_SELECTED] }],

  setup() {
    reopenGraphsOfFilms(app);
    watchSampling(app, api);
    showErrors(app, api);
  },

  beforeRegisterNodeDef(nodeType, nodeData) {
    if (!nodeData.name.startsWith("Kino")) return;
    ownPreviews(nodeType, nodeData.name);
    const executed = nodeType.prototype.onExecuted;
    nodeType.prototype.onExecuted = function (output) {
      executed?.call(this, output);
      showOutput(app, api, this, output);
    };
  },

  nodeCreated(node) {
    if (isOurs(node)) keepMethodValues(node);
  },

  /** Another tab or an old run was opened: its outputs come at once, by the ids of their nodes. */
  onNodeOutputsUpdated(outputs) {
    for (const [id, output] of Object.entries(outputs)) {
      const node = nodeAt(app, id);
      if (isOurs(node) && output) showOutput(app, api, node, output);
    }
  },
});
