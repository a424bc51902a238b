/**
 * What a node tells when it has run: `kino_view`, a list of things to look at, each `{ kind, … }` as its
 * module under views/ describes, or plain `text`.
 */
import { panelOf } from "./panel.js";
import { compareView } from "./views/compare.js";
import { playerView } from "./views/player.js";
import { reportView } from "./views/report.js";
import { timelineView } from "./views/timeline.js";

const VIEWS = { compare: compareView, player: playerView, timeline: timelineView };
const PROGRESS_TEXT = "$$node-text-preview";

/** Draw a node's output on it. */
export function showOutput(app, api, node, output) {
  const given = output.kino_view ?? [];
  const text = given.find(({ kind }) => kind === "report")?.text ?? output.text?.join("\n");
  if (!given.length && !text) return;
  const panel = panelOf(app, node);
  const urlOf = (file) => api.apiURL(`/view?${new URLSearchParams(file)}`);
  for (const [kind, view] of Object.entries(VIEWS)) {
    const facts = given.find((one) => one.kind === kind);
    panel.show(kind, facts ? view(facts, urlOf) : null);
  }
  if (text) dropProgressText(node);
  panel.show("report", text ? reportView(text) : null);
}

/** The editor's own line of progress repeats the report, and some editors never take it away. */
function dropProgressText(node) {
  const line = node.widgets?.find(({ name }) => name === PROGRESS_TEXT);
  if (line) node.removeWidget ? node.removeWidget(line) : node.widgets.splice(node.widgets.indexOf(line), 1);
}
