/** The film as far as it is sampled: the pictures of the newest preview, played in a loop. */
import { gridOf, placeOf } from "../contact_sheet.js";
import { el } from "./dom.js";

const PICTURES_PER_SECOND = 8;

export function filmView(fit) {
  const canvas = el("canvas", "kino-film", { width: 16, height: 9 });
  let sheet = null;
  let grid = { count: 1, columns: 1, rows: 1 };
  let shown = 0;

  const draw = () => {
    if (!sheet) return;
    const place = placeOf(shown++ % grid.count, grid, sheet.width, sheet.height);
    canvas.getContext("2d").drawImage(sheet, ...place, 0, 0, canvas.width, canvas.height);
  };
  const timer = setInterval(draw, 1000 / PICTURES_PER_SECOND);

  /** Take in the next preview, a JPEG. */
  const update = async (blob) => {
    grid = gridOf(new Uint8Array(await blob.arrayBuffer()));
    const next = await createImageBitmap(blob);
    sheet?.close();
    sheet = next;
    const [width, height] = placeOf(0, grid, sheet.width, sheet.height).slice(2).map(Math.round);
    if (width !== canvas.width || height !== canvas.height) {
      Object.assign(canvas, { width, height });
      fit();
    }
    draw();
  };
  return {
    element: canvas,
    height: (width) => (width * canvas.height) / canvas.width,
    stop: () => clearInterval(timer),
    update,
  };
}
