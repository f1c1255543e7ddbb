// The map component: one canvas that lives through reruns, fed with filters, sending back the site that was picked.
import * as ml from "/assets/vendor/maplibre-gl/maplibre-gl.mjs";
import { isFaint, loadColumns, lonLat, outline, passes } from "/assets/map_columns.js";
import { drawView } from "/assets/map_draw.js";
import { drawLegend } from "/assets/map_legend.js";
import { collection, style } from "/assets/map_style.js";

const maps = new WeakMap();
const coarse = () => matchMedia("(pointer: coarse)").matches;
const PICTURE_FROM_ZOOM = 11;

export default function mount({ data, parentElement, setStateValue }) {
  const box = parentElement.querySelector(".kilnmap");
  let state = maps.get(box);
  if (!state) maps.set(box, (state = create(box, data)));
  state.send = (id) => setStateValue("picked", id);
  state.started.then(() => update(state, data)).catch((error) => fail(state, data, error));
  // the element may only have moved within the page, so it is given time to come back
  return () => setTimeout(() => {
    if (box.isConnected) return;
    state.map.remove();
    maps.delete(box);
  }, 500);
}

function create(box, data) {
  box.style.height = `${data.height}px`;
  const canvas = document.createElement("div"), legend = document.createElement("div");
  canvas.className = "canvas";
  legend.className = "legend";
  box.replaceChildren(canvas, legend);
  const map = new ml.Map({
    container: canvas, style: style(), center: [79, 26], zoom: 3.6, minZoom: 1, maxZoom: 17,
    dragRotate: false, touchPitch: false, pitchWithRotate: false, cooperativeGestures: coarse(), attributionControl: false,
    locale: { "NavigationControl.ZoomIn": data.words.zoom_in, "NavigationControl.ZoomOut": data.words.zoom_out },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new ml.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ml.ScaleControl({ maxWidth: 80 }), "top-right");
  const credit = [data.credit, data.words.borders].filter(Boolean).map(escaped).join(" · ");
  map.addControl(new ml.AttributionControl({ compact: coarse() || box.clientWidth < 560, customAttribution: credit }));
  map.getCanvas().setAttribute("aria-label", data.words.map);
  const state = { box, map, legend, still: matchMedia("(prefers-reduced-motion: reduce)").matches, inView: [] };
  state.started = new Promise((resolve) => map.once("load", resolve)).then(() => listen(state));
  return state;
}

const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

async function update(state, data) {
  state.data = data;
  if (state.version !== data.version) {
    state.version = data.version;
    state.loading = loadColumns();
    state.loading.catch(() => { state.version = undefined; });
  }
  const columns = await state.loading;
  if (state.data !== data) return; // a newer update came meanwhile and draws
  if (!state.columns) showAll(state, columns);
  state.columns = columns;
  state.test = passes(columns, data.filters);
  await drawCoverage(state);
  if (state.data !== data) return;
  redraw(state);
  const before = state.shown;
  state.shown = data;
  if (data.place && String(data.place) !== String(before?.place)) goTo(state, data.place);
  else if (!data.place) state.map.getSource("place").setData(collection());
  if (data.site !== state.picked) mark(state, data.site, Boolean(before) || !data.place);
  layPicture(state);
  state.box.dataset.ready = String(data.version);
}

function fail(state, data, error) {
  state.legend.textContent = data.words.failed.replace("{reason}", error.message);
}

function redraw(state) {
  if (!state.columns || !state.test) return;
  const view = drawView(state.map, state.columns, state.test);
  state.inView = view.inView;
  const present = new Set(view.inView.map((i) => state.columns.verdict[i]));
  const faint = view.inView.filter((i) => isFaint(state.columns, i)).length;
  drawLegend(state.legend, view, state.data, present, faint);
  state.box.dataset.drawn = view.drawn;
  state.box.dataset.cells = view.asCells ? 1 : 0;
  const centre = state.map.getCenter();
  state.box.dataset.centre = `${centre.lng.toFixed(4)},${centre.lat.toFixed(4)}`;
}

async function drawCoverage(state) {
  const shown = state.data.coverage, key = shown ? state.data.version : null;
  if (state.coverageKey === key) return;
  state.coverageKey = key;
  const url = new URL("/api/coverage", document.baseURI).href;
  state.map.getSource("coverage").setData(shown ? await (await fetch(url)).json() : collection());
  state.box.dataset.coverage = shown ? 1 : 0;
}

function showAll({ map }, columns) {
  if (!columns.n) return;
  const bounds = new ml.LngLatBounds();
  for (let i = 0; i < columns.n; i++) bounds.extend(lonLat(columns, i));
  map.fitBounds(bounds, { padding: 50, maxZoom: 12.7, duration: 0 });
}

function goTo(state, place) {
  const at = { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: place } };
  state.map.getSource("place").setData(collection([at]));
  state.map.jumpTo({ center: place, zoom: Math.max(state.map.getZoom(), 13.8) });
}

// Ring the site, come close if asked.
function mark(state, id, move) {
  const { map, columns } = state, i = id === null ? undefined : columns.place.get(id);
  state.picked = id;
  if (i === undefined) {
    map.getSource("chosen").setData(collection());
    return;
  }
  const at = lonLat(columns, i);
  const shapes = [{ type: "Point", coordinates: at }, { type: "Polygon", coordinates: [outline(columns, i, 1.7)] }];
  const features = shapes.map((geometry) => ({ type: "Feature", properties: {}, geometry }));
  map.getSource("chosen").setData(collection(features));
  if (move && (!map.getBounds().contains(at) || map.getZoom() < 12)) comeClose(state, at);
}

function comeClose(state, at) {
  const zoom = Math.max(state.map.getZoom(), 14.2);
  state.map.easeTo({ center: at, zoom, duration: state.still ? 0 : 500 }, { tour: true });
}

// Where the picture lies comes with the answer to a pick, so it is laid a moment after the ring.
function layPicture(state) {
  const { map, data, picked: id } = state;
  if (map.getLayer("picture")) map.setLayoutProperty("picture", "visibility", "none");
  if (id === null || data.site !== id || !data.corners) return;
  const url = new URL(`/api/picture/${encodeURIComponent(id)}`, document.baseURI).href;
  const image = { url, coordinates: data.corners.slice(0, 4) };
  if (map.getSource("picture")) map.getSource("picture").updateImage(image);
  else {
    map.addSource("picture", { type: "image", ...image });
    const paint = { "raster-fade-duration": 0, "raster-resampling": "nearest" };
    map.addLayer({ id: "picture", type: "raster", source: "picture", minzoom: PICTURE_FROM_ZOOM, paint }, "casing");
  }
  map.setLayoutProperty("picture", "visibility", "visible");
}

function pick(state, i, move) {
  const id = state.columns.ids[i];
  mark(state, id, false);
  if (move) comeClose(state, lonLat(state.columns, i));
  state.send(id);
}

function listen(state) {
  const { map, box } = state;
  map.on("moveend", (event) => {
    redraw(state);
    if (!event.tour) state.tour = null;
  });
  map.on("click", (event) => onClick(state, event));
  box.addEventListener("keydown", (event) => onKey(state, event));
  for (const layer of ["dots", "cells", "outlines"]) {
    map.on("mouseenter", layer, () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
  }
}

function onClick(state, event) {
  const { map } = state, r = coarse() ? 16 : 6, { x, y } = event.point;
  const around = [[x - r, y - r], [x + r, y + r]];
  const found = map.queryRenderedFeatures(around, { layers: ["dots", "outlines"] });
  if (found.length) return pick(state, nearest(state, found, event.point), false);
  if (!map.queryRenderedFeatures(event.point, { layers: ["cells"] }).length) return;
  map.easeTo({ center: event.lngLat, zoom: map.getZoom() + 2.4, duration: state.still ? 0 : 500 });
}

function nearest(state, found, point) {
  const distance = (i) => state.map.project(lonLat(state.columns, i)).dist(point);
  return found.map((item) => item.properties.i).sort((a, b) => distance(a) - distance(b))[0];
}

function onKey(state, event) {
  if (event.key.toLowerCase() !== "n" || event.ctrlKey || event.metaKey || event.altKey) return;
  // the order stays that of the view in which the walk began, best score first
  state.tour ??= state.inView;
  if (!state.tour.length) return;
  const here = state.tour.findIndex((i) => state.columns.ids[i] === state.picked);
  pick(state, state.tour[(here + 1) % state.tour.length], true);
}
