// The legend: what colours mean in the present view. Texts are set as text, never as markup.
import { COVERAGE, RAMP, VERDICTS } from "/assets/map_style.js";

export function drawLegend(box, view, data, present, faint) {
  const words = data.words;
  const parts = view.asCells ? cellParts(view, data) : dotParts(view, words, present, faint);
  if (data.coverage) parts.push(...coverageParts(words));
  box.replaceChildren(...parts);
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function cellParts(view, { words, filters }) {
  const ramp = element("div", "ramp");
  for (const colour of RAMP) {
    const step = element("i");
    step.style.background = colour;
    ramp.append(step);
  }
  const scale = element("div", "scale");
  for (const n of [1, view.cuts[1], view.counts.at(-1) || 0]) scale.append(element("span", "", n.toLocaleString()));
  return [element("b", "", filters.candidates ? words.per_cell_with_faint : words.per_cell), ramp, scale];
}

function dotParts(view, words, present, faint) {
  const n = view.inView.length - faint;
  const title = n ? words.in_view.replace("{n}", n.toLocaleString()) : words.none_in_view;
  const rows = words.verdicts.map((word, k) => [k, word]).filter(([k]) => present.has(k));
  const parts = [element("b", "", title), ...rows.map(([k, word]) => row(word, VERDICTS[k][0], VERDICTS[k][1], "dot"))];
  if (faint) parts.push(row(words.below.replace("{n}", faint.toLocaleString()), `${VERDICTS[0][0]}73`, "#ffffff", "dot faint"));
  return parts;
}

function coverageParts(words) {
  const rows = Object.entries(COVERAGE).map(([state, colour]) => row(words.coverage[state], `${colour}47`, colour, "tile"));
  return [element("b", "", words.coverage_title), ...rows];
}

function row(word, fill, ring, shape) {
  const line = element("div", "row"), mark = element("i", shape);
  mark.style.background = fill;
  mark.style.borderColor = ring === "#ffffff" ? fill : ring;
  line.append(mark, element("span", "", word));
  return line;
}
