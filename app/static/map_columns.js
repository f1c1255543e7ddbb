// The sites as columns: fetched once per version, filtered here by the same rules as app/services/selection.py.
import * as ml from "/assets/vendor/maplibre-gl/maplibre-gl.mjs";

const ARRAYS = { i4: Int32Array, u2: Uint16Array, u1: Uint8Array };
const MISSING = 65535;
const CANDIDATE = 1;

export async function loadColumns() {
  const answer = await fetch(new URL("/api/sites", document.baseURI));
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  return unpack(await answer.arrayBuffer());
}

export function unpack(block) {
  const start = new Uint8Array(block).indexOf(10) + 1;
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(block, 0, start)));
  const columns = { n: head.n, ids: head.ids, place: new Map(head.ids.map((id, i) => [id, i])) };
  let at = start;
  for (const [name, type] of head.columns) {
    columns[name] = new ARRAYS[type](block, at, head.n);
    at += columns[name].byteLength;
  }
  return withMercator(columns);
}

// Mercator x and y, worked out once: counting into hexagons needs nothing else.
function withMercator(columns) {
  columns.x = new Float64Array(columns.n);
  columns.y = new Float64Array(columns.n);
  for (let i = 0; i < columns.n; i++) {
    const m = ml.MercatorCoordinate.fromLngLat(lonLat(columns, i));
    columns.x[i] = m.x;
    columns.y[i] = m.y;
  }
  return columns;
}

export const lonLat = (columns, i) => [columns.lon[i] / 1e7, columns.lat[i] / 1e7];

// Below the model's threshold: a candidate, no result.
export const isFaint = (columns, i) => (columns.flags[i] & CANDIDATE) !== 0;

// A test for one site, made once per filter change.
export function passes(columns, filters) {
  const measure = columns[filters.measure];
  const verdict = new Uint8Array(256);
  for (const code of filters.verdicts) verdict[code] = 1;
  const dated = filters.from !== null || filters.to !== null;
  const from = filters.from ?? 0, to = filters.to ?? MISSING - 1;
  return (i) => {
    if (!filters.candidates && isFaint(columns, i)) return false;
    if (!verdict[columns.verdict[i]]) return false;
    const value = measure[i] === MISSING ? 0 : measure[i];
    if (value < filters.low || value > filters.high) return false;
    return !dated || (columns.last[i] !== MISSING && columns.last[i] >= from && columns.first[i] <= to);
  };
}

// Four corners of a site's outline, `grow` times its size. Angles are counter-clockwise from east, metres on WGS 84.
export function outline(columns, i, grow = 1) {
  const [lon, lat] = lonLat(columns, i);
  const [east, north] = metresPerDegree(lat);
  const t = (columns.angle[i] / 10) * (Math.PI / 180);
  const along = (columns.length[i] / 20) * grow, across = (columns.width[i] / 20) * grow;
  const corner = (a, b) => [
    lon + (a * along * Math.cos(t) - b * across * Math.sin(t)) / east,
    lat + (a * along * Math.sin(t) + b * across * Math.cos(t)) / north,
  ];
  return [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1), corner(-1, -1)];
}

function metresPerDegree(lat) {
  const a = 6378137, e2 = 0.00669437999014, phi = (lat * Math.PI) / 180, degree = Math.PI / 180;
  const w = 1 - e2 * Math.sin(phi) ** 2;
  return [(degree * a * Math.cos(phi)) / Math.sqrt(w), (degree * a * (1 - e2)) / w ** 1.5];
}
