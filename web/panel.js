/**
 * The part of a node where Kinograph shows what the node made: one DOM widget that stacks views.
 *
 * A view is `{ element, height(width), stop?() }`: what is shown, how many pixels it wants in a node of that
 * width, and how it ends. The widget is never saved and stands behind all others, because saved values of
 * widgets go by their position.
 */
const NAME = "kinograph";
const GAP = 6;
const MARGIN = 10;
const LEAST_WIDTH = 270;

const panels = new WeakMap();

/** The panel of a node, made on first use. */
export function panelOf(app, node) {
  if (!panels.has(node)) panels.set(node, new Panel(app, node));
  return panels.get(node);
}

class Panel {
  constructor(app, node) {
    this.app = app;
    this.node = node;
    this.views = new Map();
    this.element = Object.assign(document.createElement("div"), { className: "kino-panel" });
    this.element.addEventListener("wheel", (event) => this.#zoom(event), { passive: false });
    this.widget = node.addDOMWidget(NAME, NAME, this.element, {
      serialize: false,
      hideOnZoom: false,
      getMinHeight: () => this.height(),
    });
    this.widget.serialize = false;
    const removed = node.onRemoved;
    node.onRemoved = (...given) => {
      for (const view of this.views.values()) view.stop?.();
      return removed?.apply(node, given);
    };
  }

  /** Pixels that all views want, with the widget's own margins. */
  height() {
    const width = this.node.size[0] - 2 * MARGIN;
    const heights = [...this.views.values()].map((view) => view.height(width) + GAP);
    return heights.reduce((sum, height) => sum + height, 2 * MARGIN);
  }

  /** Show a view under a name, in place of the one there; null takes it away. */
  show(name, view) {
    this.views.get(name)?.stop?.();
    this.views.delete(name);
    if (view) this.views.set(name, view);
    this.element.replaceChildren(...[...this.views.values()].map(({ element }) => element));
    this.fit();
  }

  get(name) {
    return this.views.get(name);
  }

  /**
   * Make the node large enough; its user may have made it larger. In the classic rendering nodes without
   * widgets are too narrow to read in.
   */
  fit() {
    const [before, height] = this.node.size;
    const width = Math.max(before, LEAST_WIDTH);
    if (before < width) this.node.setSize([width, height]); // first, for heights follow from it
    const needed = this.node.computeSize([width, height])[1];
    if (height < needed) this.node.setSize([width, needed]);
    this.node.graph?.setDirtyCanvas(true, true);
  }

  /** In the classic rendering the wheel over a panel zooms the canvas, as it does beside it. */
  #zoom(event) {
    const scrolls = event.target.closest(".kino-report");
    if (scrolls && scrolls.scrollHeight > scrolls.clientHeight) return event.stopPropagation();
    if (window.LiteGraph?.vueNodesMode) return;
    event.preventDefault();
    this.app.canvas.processMouseWheel(event);
  }
}
