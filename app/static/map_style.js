// What the map looks like: base map, coverage, cells, outlines, dots. Nothing comes from another host.

export const RAMP = ["#fbe3bf", "#f2b872", "#dd7f45", "#a8441f", "#5a1d0f"];
// Fill and ring per verdict (none, kiln, not_kiln, gone, unsure): told apart by lightness and ring, not by hue alone.
export const VERDICTS = [
  ["#e07b39", "#ffffff"], ["#7a2410", "#1c0a05"], ["#ffffff", "#6b6f73"], ["#c9c4bc", "#2b2622"], ["#f6d9a8", "#7a2410"],
];
export const COVERAGE = { kiln: "#a8441f", none: "#2f7d76", not_observed: "#6b6f73" };
export const collection = (features = []) => ({ type: "FeatureCollection", features });

const TOWNS = [
  ["Delhi", 77.21, 28.61], ["Lahore", 74.34, 31.55], ["Dhaka", 90.41, 23.81], ["Kolkata", 88.36, 22.57],
  ["Patna", 85.14, 25.59], ["Lucknow", 80.95, 26.85], ["Kathmandu", 85.32, 27.72], ["Islamabad", 73.05, 33.69],
  ["Karachi", 67.01, 24.86], ["Mumbai", 72.88, 19.08], ["Chennai", 80.27, 13.08], ["Hyderabad", 78.49, 17.39],
  ["Ahmedabad", 72.57, 23.02], ["Jaipur", 75.79, 26.91], ["Bengaluru", 77.59, 12.97], ["Varanasi", 82.99, 25.32],
  ["Chittagong", 91.83, 22.36], ["Amritsar", 74.87, 31.63], ["Nagpur", 79.09, 21.15], ["Colombo", 79.86, 6.93],
];
const point = (coordinates, properties = {}) => ({ type: "Feature", properties, geometry: { type: "Point", coordinates } });

function sources() {
  const base = (name) => ({
    type: "geojson",
    data: new URL(`/assets/vendor/natural-earth/${name}.geojson`, document.baseURI).href,
  });
  const empty = () => ({ type: "geojson", data: collection() });
  return {
    land_near: base("land_near"), land_far: base("land_far"), rivers: base("rivers"),
    borders_near: base("borders_near"), borders_far: base("borders_far"),
    coverage: empty(), cells: empty(), dots: empty(), outlines: empty(), chosen: empty(), place: empty(),
    towns: { type: "geojson", data: collection(TOWNS.map(([name, ...at]) => point(at, { name }))) },
  };
}

const byVerdict = (k) => ["match", ["get", "v"], ...VERDICTS.flatMap((pair, i) => [i, pair[k]]), VERDICTS[0][k]];
// Outlines of white-filled verdicts must still show on light ground.
const lineColour = ["match", ["get", "v"], 1, VERDICTS[1][0], 2, "#6b6f73", 3, "#2b2622", 4, "#a05a10", "#c2571a"];
// Candidates are smaller, paler and lie below. Dots give way to outlines when near.
const pale = ["case", ["get", "c"], 0.45, 1];
const dotFade = ["interpolate", ["linear"], ["zoom"], 12.8, pale, 13.6, 0];
const sized = (found, faint) => ["case", ["get", "c"], faint, found];
const fade = (from, to) => ["interpolate", ["linear"], ["zoom"], 12.8, from, 13.6, to];

function baseLayers() {
  const land = (source) => ({
    id: source, type: "fill", source, paint: { "fill-color": "#f4f1ea", "fill-antialias": false },
  });
  const border = (source) => ({
    id: source, type: "line", source, paint: { "line-color": "#6b737a", "line-width": 1, "line-dasharray": [4, 2] },
  });
  return {
    below: [
      { id: "sea", type: "background", paint: { "background-color": "#dce6ea" } },
      land("land_far"), land("land_near"),
      { id: "rivers", type: "line", source: "rivers", paint: { "line-color": "#b7cdd8", "line-width": 1.2 } },
    ],
    above: [border("borders_far"), border("borders_near")],
  };
}

function coverageLayers() {
  const colour = ["match", ["get", "state"], ...Object.entries(COVERAGE).flat(), COVERAGE.not_observed];
  return [
    { id: "coverage", type: "fill", source: "coverage",
      paint: { "fill-color": colour, "fill-opacity": 0.28, "fill-antialias": false } },
    { id: "coverage-lines", type: "line", source: "coverage", minzoom: 10,
      paint: { "line-color": colour, "line-opacity": 0.5, "line-width": 0.7 } },
  ];
}

function siteLayers() {
  return [
    { id: "casing", type: "line", source: "outlines", minzoom: 12.8,
      paint: { "line-color": "#ffffff", "line-width": 5, "line-opacity": fade(0, pale) } },
    { id: "outlines", type: "line", source: "outlines", minzoom: 12.8,
      paint: { "line-color": lineColour, "line-width": sized(2.5, 1.8), "line-opacity": fade(0, pale) } },
    { id: "chosen-outline", type: "line", source: "chosen", minzoom: 12.8,
      filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "line-color": "#0b5cab", "line-width": 3, "line-opacity": fade(0, 1) } },
    { id: "dots", type: "circle", source: "dots", layout: { "circle-sort-key": sized(1, 0) }, paint: {
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 8, sized(4, 2.5), 12, sized(7.5, 4.5)],
      "circle-color": byVerdict(0), "circle-stroke-color": byVerdict(1),
      "circle-opacity": dotFade, "circle-stroke-opacity": fade(1, 0), "circle-stroke-width": sized(1.4, 0.6) } },
  ];
}

export function style() {
  const base = baseLayers();
  const cells = { id: "cells", type: "fill", source: "cells", paint: {
    "fill-opacity": 0.88, "fill-outline-color": "#fffdf9",
    "fill-color": ["step", ["get", "rank"], RAMP[0], 1, RAMP[1], 2, RAMP[2], 3, RAMP[3], 4, RAMP[4]] } };
  const chosen = { id: "chosen", type: "circle", source: "chosen", filter: ["==", ["geometry-type"], "Point"], paint: {
    "circle-radius": 14, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": "#0b5cab", "circle-stroke-width": 3,
    "circle-stroke-opacity": fade(1, 0) } };
  const place = { id: "place", type: "circle", source: "place", paint: {
    "circle-radius": 6, "circle-color": "#0b5cab", "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 } };
  const towns = { id: "towns", type: "symbol", source: "towns",
    // without glyphs MapLibre draws the names with the system's own letters
    layout: { "text-field": ["get", "name"], "text-font": ["Source Sans, system-ui, sans-serif"], "text-size": 13 },
    paint: { "text-color": "#2b2622", "text-halo-color": "#fffdf9", "text-halo-width": 1.6 } };
  return { version: 8, sources: sources(),
    layers: [...base.below, ...coverageLayers(), cells, ...base.above, ...siteLayers(), chosen, place, towns] };
}
