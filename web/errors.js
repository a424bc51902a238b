/** Why one of our nodes failed stands on the node until something runs again: editors may hide it behind a click. */
import { isOurs, runningNode } from "./graph_nodes.js";
import { panelOf } from "./panel.js";
import { reportView } from "./views/report.js";

export function showErrors(app, api) {
  let failed = null;
  api.addEventListener("execution_start", () => {
    failed?.show("error", null);
    failed = null;
  });
  api.addEventListener("execution_error", ({ detail }) => {
    const node = runningNode(app, detail.node_id);
    if (!isOurs(node)) return;
    failed = panelOf(app, node);
    failed.show("error", errorView(detail.exception_message.trim()));
  });
}

function errorView(message) {
  const view = reportView(message);
  view.element.classList.add("kino-error");
  return view;
}
