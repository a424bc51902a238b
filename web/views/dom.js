/** Elements in one line. */

/** An element with properties, style classes and children, e.g. `el("button", "kino-step", { title }, "›")`. */
export function el(tag, className, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), { className, ...properties });
  element.append(...children);
  return element;
}
