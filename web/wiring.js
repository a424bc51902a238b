/**
 * Wires without the mouse, for which editors have no key of their own: in the selected nodes, each input that
 * has neither wire nor widget takes an output of its type.
 *
 * Nodes count from left to right, and at the same place in the order in which they came. An input takes from
 * the nearest node before its own, so no circle can come about, and what is wired stays as it is.
 */
export const WIRE_SELECTED = "Kinograph.WireSelected";

export function wireSelected(app) {
  const nodes = [...app.canvas.selectedItems].filter(({ inputs, outputs }) => inputs && outputs);
  const graph = app.canvas.graph;
  const fits = (output, input) => window.LiteGraph.isValidConnection(output, input);
  graph.beforeChange();
  for (const { from, output, to, input } of missingWires(nodes, fits)) from.connect(output, to, input);
  graph.afterChange();
  graph.setDirtyCanvas(true, true);
}

/** `{ from, output, to, input }` for each wire to be made; slots by number. */
export function missingWires(nodes, fits) {
  const came = new Map([...nodes].sort((one, other) => one.id - other.id).map((node, index) => [node, index]));
  const inOrder = [...nodes].sort((one, other) => one.pos[0] - other.pos[0] || came.get(one) - came.get(other));
  return inOrder.flatMap((to, place) =>
    to.inputs.flatMap(({ widget, type }, input) => {
      if (widget || to.isInputConnected(input)) return [];
      const from = inOrder.slice(0, place).findLast((node) => outputOf(node, type, fits) >= 0);
      return from ? [{ from, output: outputOf(from, type, fits), to, input }] : [];
    }),
  );
}

const outputOf = (node, type, fits) => node.outputs.findIndex((output) => fits(output.type, type));
