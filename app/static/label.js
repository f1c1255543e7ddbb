// The labelling page: examples, then picture after picture. The server gives random tokens and picture
// bytes, nothing else; this page never learns a place. Every word comes from #strings (gettext).

import { load, Outbox, randomId, save } from "./label.outbox.js";

const WORDS = JSON.parse(document.getElementById("strings").textContent);
const AHEAD = 6; // pictures kept decoded, so that an answer never waits for the network
const MOST_MARKS = 20;
const MOST_UNDO = 20;
const NEAR = 0.045; // a tap this near to a mark (share of the picture) takes it away
const STEP = 0.02;
const $ = (id) => document.getElementById(id);
const say = (name, values = {}) =>
  Object.entries(values).reduce((text, [k, v]) => text.replaceAll(`{${k}}`, v), WORDS[name]);

const state = {
  who: null, // {name, id}: the name never leaves this browser
  ready: [], // [{token, image}]
  now: null,
  shownAt: null,
  marks: [],
  cross: null,
  past: [], // what can be undone: [{key, token, answer}]
  done: { today: 0, total: 0 },
  online: true,
  filling: false,
  exhausted: false,
};

const outbox = new Outbox(({ waiting, online, refused, done, volunteer }) => {
  if (online !== undefined) state.online = online;
  if (done && !waiting && volunteer === state.who?.id) state.done = done;
  state.refused = refused ?? state.refused;
  counts();
});

// --- who ---------------------------------------------------------------------------------------

function begin(name) {
  const people = load("kilnlight.people", {});
  const id = Object.hasOwn(people, name) ? people[name] : randomId();
  save("kilnlight.people", { ...people, [name]: id });
  save("kilnlight.who", name);
  if (state.who?.id !== id) {
    state.ready = [];
    state.now = null;
    state.done = { today: 0, total: 0 };
  }
  state.who = { name, id };
  state.past = load(`kilnlight.past.${id}`, []);
  $("welcome").hidden = true;
  $("work").hidden = false;
  scrollTo(0, 0);
  show(state.now);
  fill();
  outbox.send();
}

function welcome() {
  closeMarking();
  $("name").value = load("kilnlight.who", "");
  $("work").hidden = true;
  $("welcome").hidden = false;
  scrollTo(0, 0);
}

// --- pictures ------------------------------------------------------------------------------------

async function picture(token) {
  const image = new Image();
  image.alt = "";
  image.draggable = false;
  image.src = `/label/picture/${token}.jpg`;
  await image.decode();
  return { token, image };
}

async function ask() {
  const have = [...state.ready.map((x) => x.token), ...outbox.tokens(), ...(state.now ? [state.now.token] : [])];
  const reply = await fetch("/label/api/next", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ volunteer: state.who.id, count: AHEAD, have: have.slice(-200) }),
  });
  if (!reply.ok) throw new Error(String(reply.status));
  return reply.json();
}

async function fill() {
  if (state.filling || !state.who || state.ready.length >= AHEAD) return;
  state.filling = true;
  const { id } = state.who;
  try {
    const { tokens, done } = await ask();
    state.online = true;
    if (id === state.who.id) {
      if (!outbox.names().length) state.done = done;
      state.exhausted = tokens.length === 0;
      await take(tokens, id);
    }
  } catch {
    state.online = false;
    setTimeout(fill, 3000);
  }
  state.filling = false;
  if (id !== state.who.id) fill();
  else if (!state.now) show(state.ready.shift() ?? null);
  counts();
}

async function take(tokens, id) {
  const known = new Set([...state.ready, ...(state.now ? [state.now] : [])].map((x) => x.token));
  for (const token of tokens) {
    if (known.has(token)) continue;
    try {
      const item = await picture(token);
      if (id !== state.who.id) return;
      state.ready.push(item);
      if (!state.now) show(state.ready.shift());
    } catch { /* a picture that does not come is left out; the server offers it again */ }
  }
}

function show(item) {
  state.now = item;
  state.shownAt = new Date().toISOString();
  $("frame").replaceChildren(...(item ? [item.image] : []));
  if (item) $("stage").dataset.token = item.token;
  else delete $("stage").dataset.token;
  closeMarking();
  counts();
}

function next() {
  show(state.ready.shift() ?? null);
  fill();
}

function counts() {
  const waiting = outbox.names().length;
  const parts = [];
  if (!state.now && !state.exhausted) parts.push(say(state.online ? "loading" : "no_connection"));
  else if (!state.online && waiting) parts.push(say("waiting", { n: waiting }));
  if (state.refused) parts.push(say("refused", { n: state.refused }));
  const text = parts.join(" ");
  if (!$("marking").hidden) return;
  if ($("status").textContent !== text) $("status").textContent = text;
  $("done").textContent = say("done", { today: state.done.today, total: state.done.total, name: state.who?.name ?? "" });
  $("empty").hidden = Boolean(state.now) || !state.exhausted;
  $("stage").hidden = !$("empty").hidden;
  for (const id of ["yes", "no", "unsure", "bad"]) $(id).disabled = !state.now;
  $("undo").disabled = !state.past.length;
}

// --- answers -------------------------------------------------------------------------------------

function answer(kind, marks = []) {
  if (!state.now) return;
  const { token, image } = state.now;
  const item = { kind: "answer", key: randomId(), token, answer: kind, marks, seen_at: state.shownAt };
  state.past = [...state.past, { key: item.key, token, image }].slice(-MOST_UNDO);
  savePast();
  count(1);
  outbox.put(item, state.who.id);
  next();
}

function count(step) {
  state.done = { today: Math.max(0, state.done.today + step), total: Math.max(0, state.done.total + step) };
}

function savePast() {
  save(`kilnlight.past.${state.who.id}`, state.past.map(({ key, token }) => ({ key, token })));
}

async function undo() {
  const last = state.past.pop();
  if (!last) return;
  savePast();
  count(-1);
  outbox.put({ kind: "undo", key: randomId(), undoes: last.key, token: last.token }, state.who.id);
  if (state.now) state.ready.unshift(state.now);
  state.ready = state.ready.filter((x) => x.token !== last.token);
  try {
    show(last.image ? last : await picture(last.token));
  } catch {
    next();
  }
  $("status").textContent = say("undone");
}

// --- marks ---------------------------------------------------------------------------------------

const marking = () => !$("marking").hidden;

function openMarking() {
  if (!state.now) return;
  state.marks = [];
  state.cross = null;
  $("answers").hidden = true;
  $("marking").hidden = false;
  $("bad").disabled = true;
  $("undo").disabled = true;
  $("question").textContent = say("mark_question");
  $("stage").classList.add("marking");
  $("stage").tabIndex = 0;
  $("stage").focus({ preventScroll: true });
  draw();
}

function closeMarking() {
  $("marking").hidden = true;
  $("answers").hidden = false;
  $("question").textContent = say("question");
  $("stage").classList.remove("marking");
  $("stage").tabIndex = -1;
  state.marks = [];
  state.cross = null;
  draw();
}

function draw() {
  const dots = state.marks.map(({ u, v }) => {
    const dot = document.createElement("span");
    dot.className = "mark";
    place(dot, u, v);
    return dot;
  });
  $("marks").replaceChildren(...dots);
  $("cross").hidden = !state.cross;
  if (state.cross) place($("cross"), state.cross.u, state.cross.v);
  $("finish").disabled = !state.marks.length;
  $("remove").disabled = !state.marks.length;
  if (marking()) $("status").textContent = say("mark_hint", { n: state.marks.length });
}

function place(element, u, v) {
  element.style.left = `${u * 100}%`;
  element.style.top = `${v * 100}%`;
}

const within = (x) => Math.min(1, Math.max(0, x));

function share(event) {
  const box = $("stage").getBoundingClientRect();
  return { u: within((event.clientX - box.left) / box.width), v: within((event.clientY - box.top) / box.height) };
}

function toggle(at) {
  const near = state.marks.findIndex((m) => Math.hypot(m.u - at.u, m.v - at.v) < NEAR);
  if (near >= 0) state.marks.splice(near, 1);
  else if (state.marks.length < MOST_MARKS) state.marks.push(at);
  draw();
  return near < 0;
}

function finish() {
  if (state.marks.length) answer("kiln", state.marks);
}

function removeLast() {
  state.marks.pop();
  draw();
}

function moveCross(du, dv) {
  const { u, v } = state.cross ?? { u: 0.5, v: 0.5 };
  state.cross = { u: within(u + du), v: within(v + dv) };
  draw();
}

let dragging = false;
$("stage").addEventListener("pointerdown", (event) => {
  if (!marking() || !event.isPrimary || event.button) return;
  event.preventDefault();
  state.cross = null;
  dragging = toggle(share(event));
  if (dragging) $("stage").setPointerCapture(event.pointerId);
});
$("stage").addEventListener("pointermove", (event) => {
  if (!dragging || !event.isPrimary || !state.marks.length) return;
  state.marks[state.marks.length - 1] = share(event);
  draw();
});
for (const end of ["pointerup", "pointercancel"]) $("stage").addEventListener(end, () => { dragging = false; });

// --- buttons and keys ----------------------------------------------------------------------------

const CLICKS = {
  yes: openMarking, no: () => answer("none"), unsure: () => answer("unsure"), bad: () => answer("bad_image"),
  undo, back: closeAndCount, remove: removeLast, finish, again: () => { state.exhausted = false; counts(); fill(); },
  examples: welcome,
};
for (const [id, act] of Object.entries(CLICKS)) $(id).addEventListener("click", act);

function closeAndCount() {
  closeMarking();
  counts();
}

const QUESTION_KEYS = {
  [WORDS.key_yes]: "yes", arrowright: "yes", [WORDS.key_no]: "no", arrowleft: "no", [WORDS.key_unsure]: "unsure",
  arrowdown: "unsure", [WORDS.key_bad]: "bad", arrowup: "bad", [WORDS.key_undo]: "undo",
};
const MARKING_KEYS = {
  arrowleft: () => moveCross(-STEP, 0), arrowright: () => moveCross(STEP, 0),
  arrowup: () => moveCross(0, -STEP), arrowdown: () => moveCross(0, STEP),
  " ": () => toggle(state.cross ?? { u: 0.5, v: 0.5 }), enter: finish, backspace: removeLast,
  [WORDS.key_undo]: removeLast, escape: closeAndCount,
};

addEventListener("keydown", (event) => {
  if ($("work").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  const onButton = event.target.closest?.("button, a");
  if (onButton && (key === "enter" || key === " ")) return; // a focused button keeps its own keys
  if (marking()) {
    if (!MARKING_KEYS[key]) return;
    event.preventDefault();
    MARKING_KEYS[key]();
  } else if (QUESTION_KEYS[key] && !event.repeat) {
    event.preventDefault();
    $(QUESTION_KEYS[key]).click();
  }
});

$("begin").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("name").value.trim();
  if (name) begin(name);
});

const known = load("kilnlight.who", null);
if (known && Object.hasOwn(load("kilnlight.people", {}), known)) begin(known);
else welcome();
