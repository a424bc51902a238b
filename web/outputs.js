/**
 * What a node tells when it has run: `text`, its report, and `kino_view`, a list of things to look at,
 * each `{ kind, … }` as its module under views/ describes.
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
  const views = (output.kino_view ?? []).filter(({ kind }) => kind in VIEWS);
  if (!views.length && !output.text?.length) return;
  const panel = panelOf(app, node);
  const urlOf = (file) => api.apiURL(`/view?${new URLSearchParams(file)}`);
  for (const kind of Object.keys(VIEWS)) {
    const facts = views.find((view) => view.kind === kind);
    panel.show(kind, facts ? VIEWS[kind](facts, urlOf, () => panel.fit()) : null);
  }
  if (output.text?.length) dropProgressText(node);
  panel.show("report", output.text?.length ? reportView(output.text.join("\n")) : null);
}

/** The editor's own line of progress repeats the report, and some editors never take it away. */
function dropProgressText(node) {
  const line = node.widgets?.find(({ name }) => name === PROGRESS_TEXT);
  if (line) node.removeWidget ? node.removeWidget(line) : node.widgets.splice(node.widgets.indexOf(line), 1);
}
