/**
 * A `method` combo shows the chosen method's own widgets, `method.<parameter>`. Editors make them anew with
 * every choice; this gives a method that is chosen again the values it had.
 *
 * Widgets are known by name: how many there are, and where, differs from node to node.
 */
const METHOD = "method";

export function keepMethodValues(node) {
  const method = node.widgets?.find(({ name }) => name === METHOD);
  if (!method) return;
  const kept = new Map(); // method → parameter's widget name → value
  let shown = look();

  function look() {
    const widgets = node.widgets.filter(({ name }) => name.startsWith(`${METHOD}.`));
    return { method: method.value, widgets };
  }

  const chosen = method.callback;
  method.callback = function (...given) {
    if (method.value !== shown.method) {
      kept.set(shown.method, new Map(shown.widgets.map((widget) => [widget.name, widget.value])));
      shown = look();
      restore(shown.widgets, kept.get(method.value));
    }
    return chosen?.apply(this, given);
  };

  const configured = node.onConfigure;
  node.onConfigure = function (...given) {
    const result = configured?.apply(this, given);
    shown = look();
    return result;
  };
}

function restore(widgets, values) {
  for (const widget of widgets) {
    if (values?.has(widget.name)) widget.value = values.get(widget.name);
  }
}
