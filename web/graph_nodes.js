/** Nodes of the open graph by the ids under which servers and editors speak of them. */

export const isOurs = (node) => node?.comfyClass?.startsWith("Kino") ?? false;

/** The node of an execution id: "7", or "5:7" for node 7 inside the subgraph node 5. */
export function runningNode(app, executionId) {
  let graph = rootOf(app);
  let node = null;
  for (const id of String(executionId).split(":")) {
    node = nodeIn(graph, id);
    graph = node?.subgraph;
  }
  return node;
}

/** The node with an id like "7", or "<subgraph>:7" inside a subgraph. */
export function nodeAt(app, locator) {
  const [id, subgraph] = String(locator).split(":").reverse();
  const root = rootOf(app);
  return nodeIn(subgraph ? root?.subgraphs?.get(subgraph) : root, id);
}

const rootOf = (app) => app.rootGraph ?? app.graph;

/** Node ids are numbers up to frontend 1.35 and texts from 1.49. */
const nodeIn = (graph, id) => graph?.getNodeById(id) ?? graph?.getNodeById(Number(id));
