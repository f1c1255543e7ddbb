// Turns filtered columns into what one view shows: hexagons with counts when far, dots and outlines when near.
import * as ml from "/assets/vendor/maplibre-gl/maplibre-gl.mjs";
import { isFaint, lonLat, outline } from "/assets/map_columns.js";
import { collection } from "/assets/map_style.js";

const CELLS_BELOW_ZOOM = 8.5;
const OUTLINES_FROM_ZOOM = 12;
const CELL_PX = 15;
// Few sites are clearer as dots at any zoom; above so many per cell they hide each other.
const CELLS_FROM_SITES = 60;
const CROWDED = 8;

export function drawView(map, columns, passes) {
  const view = paddedBounds(map);
  const shown = [];
  for (let i = 0; i < columns.n; i++) {
    const x = columns.x[i], y = columns.y[i];
    if (x >= view.x0 && x <= view.x1 && y >= view.y0 && y <= view.y1 && passes(i)) shown.push(i);
  }
  const mayBeCells = map.getZoom() < OUTLINES_FROM_ZOOM && shown.length >= CELLS_FROM_SITES;
  const tally = mayBeCells ? count(map, columns, shown) : new Map();
  const asCells = mayBeCells && (map.getZoom() < CELLS_BELOW_ZOOM || shown.length > CROWDED * tally.size);
  const cells = asCells ? hexagons(map, tally) : { features: [], counts: [], cuts: [] };
  const dots = asCells ? [] : shown;
  const near = map.getZoom() >= OUTLINES_FROM_ZOOM ? dots : [];
  map.getSource("cells").setData(collection(cells.features));
  map.getSource("dots").setData(collection(dots.map((i) => feature(columns, i, "Point", lonLat(columns, i)))));
  map.getSource("outlines").setData(
    collection(near.map((i) => feature(columns, i, "Polygon", [outline(columns, i, 1.25)]))));
  const bounds = map.getBounds();
  const inView = dots.filter((i) => bounds.contains(lonLat(columns, i)));
  inView.sort((a, b) => columns.score[b] - columns.score[a]);
  return { asCells, counts: cells.counts, cuts: cells.cuts, inView, drawn: cells.features.length + dots.length };
}

function feature(columns, i, type, coordinates) {
  const properties = { i, v: columns.verdict[i], c: isFaint(columns, i) };
  return { type: "Feature", properties, geometry: { type, coordinates } };
}

function paddedBounds(map) {
  const bounds = map.getBounds();
  const nw = ml.MercatorCoordinate.fromLngLat(bounds.getNorthWest());
  const se = ml.MercatorCoordinate.fromLngLat(bounds.getSouthEast());
  const px = (se.x - nw.x) * 0.4, py = (se.y - nw.y) * 0.4;
  return { x0: nw.x - px, x1: se.x + px, y0: nw.y - py, y1: se.y + py };
}

// In steps of half a zoom level, so that cells keep still while one zooms a little.
const radiusAt = (map) => CELL_PX / (512 * 2 ** (Math.round(map.getZoom() * 2) / 2));

function count(map, columns, shown) {
  const radius = radiusAt(map), tally = new Map();
  for (const i of shown) {
    const key = cellOf(columns.x[i], columns.y[i], radius);
    tally.set(key, (tally.get(key) || 0) + 1);
  }
  return tally;
}

function hexagons(map, tally) {
  const radius = radiusAt(map);
  const counts = [...tally.values()].sort((a, b) => a - b);
  const cuts = [0.5, 0.75, 0.9, 0.97].map((q) => counts[Math.floor(q * (counts.length - 1))] || 1);
  const features = [...tally].map(([key, n]) => hexagon(key, n, cuts.filter((cut) => n > cut).length, radius));
  return { features, counts, cuts };
}

// The nearest of the hexagon centres in the two rows that a point lies between.
function cellOf(x, y, radius) {
  const w = Math.sqrt(3) * radius, row = Math.round(y / (1.5 * radius)), column = Math.round(x / w - (row & 1) / 2);
  const dy = y / (1.5 * radius) - row;
  if (Math.abs(dy) * 3 <= 1) return row * 1e6 + column;
  const other = row + (dy < 0 ? -1 : 1), otherColumn = Math.round(x / w - (other & 1) / 2);
  const dx = x / w - (row & 1) / 2 - column;
  const dx2 = x / w - (other & 1) / 2 - otherColumn, dy2 = y / (1.5 * radius) - other;
  const farther = dx * dx * 3 + dy * dy * 2.25 > dx2 * dx2 * 3 + dy2 * dy2 * 2.25;
  return farther ? other * 1e6 + otherColumn : row * 1e6 + column;
}

function hexagon(key, n, rank, radius) {
  const w = Math.sqrt(3) * radius, row = Math.floor(key / 1e6);
  const cx = (key - row * 1e6 + (row & 1) / 2) * w, cy = row * 1.5 * radius;
  const ring = [0, 1, 2, 3, 4, 5, 0].map((k) => {
    const angle = (k * Math.PI) / 3;
    const m = new ml.MercatorCoordinate(cx + radius * 0.96 * Math.sin(angle), cy + radius * 0.96 * Math.cos(angle));
    const at = m.toLngLat();
    return [at.lng, at.lat];
  });
  return { type: "Feature", properties: { n, rank }, geometry: { type: "Polygon", coordinates: [ring] } };
}
