"""What runs inside the editor's page. Node ids are numbers up to frontend 1.35 and texts from 1.49."""

from __future__ import annotations

FIND = "const node = app.canvas.graph.getNodeById(id) ?? app.canvas.graph.getNodeById(Number(id));"

READY = """() => window.app?.graph && window.LiteGraph?.registered_node_types?.KinoLoadVideo
  && app.extensionManager?.workflow?.activeWorkflow && !app.extensionManager.spinner"""

# Pictures travel as Blobs, which a test cannot read: their sizes stand for them.
RECORD = """() => {
  window.seen = [];
  const plain = detail => detail instanceof Blob ? {size: detail.size}
    : detail?.blob ? {...detail, blob: {size: detail.blob.size}} : detail;
  for (const name of ['status', 'execution_start', 'executing', 'progress', 'progress_state', 'executed',
      'b_preview', 'execution_success', 'execution_error', 'execution_interrupted'])
    app.api.addEventListener(name, event => window.seen.push([name, plain(event.detail)]));
}"""

BLANK = """async () => {
  const {workflow, command, sidebarTab, setting} = app.extensionManager;
  await command.execute('Comfy.NewBlankWorkflow');
  for (const other of [...workflow.openWorkflows])
    if (other !== workflow.activeWorkflow) await workflow.closeWorkflow(other);
  if (sidebarTab.activeSidebarTabId) sidebarTab.toggleSidebarTab(sidebarTab.activeSidebarTabId);
  if (setting.get('Comfy.RightSidePanel.IsOpen')) await setting.set('Comfy.RightSidePanel.IsOpen', false);
  app.canvas.ds.reset();
  window.seen.length = 0;
}"""

LOAD = """async graph => {
  const quiet = {showMissingNodesDialog: false, showMissingModelsDialog: false};
  if (graph.nodes) await app.loadGraphData(graph, true, true, null, quiet);
  else await app.loadApiJson(graph, 'api');
}"""

ADD = """([type, place]) => {
  const node = LiteGraph.createNode(type);
  node.pos = place;
  app.graph.add(node);
  return String(node.id);
}"""

SET = f"""([id, values]) => {{
  {FIND}
  for (const [name, value] of Object.entries(values)) {{
    const widget = node.widgets.find(widget => widget.name === name);
    widget.value = value;
    widget.callback?.(value);
  }}
}}"""

GEOMETRY = f"""id => {{
  {FIND}
  const on = place => [...app.canvasPosToClientPos(place)];
  const slots = (list, is_input) => Object.fromEntries(
    (list ?? []).map((slot, at) => [slot.name, on(node.getConnectionPos(is_input, at))]));
  const middle = node.pos[0] + node.size[0] / 2;
  return {{
    title: {{title: on([middle, node.pos[1] - 15])}},
    inputs: slots(node.inputs, true),
    outputs: slots(node.outputs, false),
    widgets: Object.fromEntries((node.widgets ?? []).map(
      widget => [widget.name, on([middle, node.pos[1] + (widget.last_y ?? widget.y) + 10])])),
  }};
}}"""

NOTICES = """() => [...document.querySelectorAll(
    '[role=dialog], [role=alertdialog], .p-toast-message, [data-testid=toast], [data-testid=error-overlay]')]
  .filter(element => element.offsetParent || getComputedStyle(element).position === 'fixed')
  .filter(element => !element.querySelector('[data-testid=template-workflows-content]'))
  .map(element => element.innerText)"""

DROP = """([bytes, name, type, x, y]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([new Uint8Array(bytes)], name, {type}));
  const target = document.elementFromPoint(x, y);
  for (const kind of ['dragenter', 'dragover', 'drop'])
    target.dispatchEvent(new DragEvent(kind,
      {dataTransfer: carried, clientX: x, clientY: y, bubbles: true, cancelable: true}));
}"""

PLAYING = """() => {
  const film = document.querySelector('video');
  if (!film || film.readyState < 2) return false;
  if (film.paused) film.play();
  return film.currentTime > 0.1;
}"""
