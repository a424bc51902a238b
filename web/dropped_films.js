/** A film that was made here, dropped on the editor, opens its graph. */
import { graphInFilm } from "./graph_in_film.js";

/** Ask every film for its graph before the editor does: editors know no Matroska, and not the end of long files. */
export function reopenGraphsOfFilms(app) {
  const open = app.handleFile;
  app.handleFile = async function (file, ...options) {
    const { workflow, prompt } = await graphInFilm(file);
    const name = file.name.replace(/\.\w+$/, "");
    if (workflow) return this.loadGraphData(workflow, true, true, name);
    if (prompt) return this.loadApiJson(prompt, name);
    return open.call(this, file, ...options);
  };
}
