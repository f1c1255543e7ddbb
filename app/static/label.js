// The labelling page: examples, then picture after picture. The server gives random tokens and picture
// bytes, nothing else; this page never learns a place. Every word comes from #strings (gettext).

import { Marks } from "./label.marks.js";
import { load, Outbox, randomId, save } from "./label.outbox.js";

const WORDS = JSON.parse(document.getElementById("strings").textContent);
const AHEAD = 6; // pictures kept decoded, so that an answer never waits for the network
const MOST_UNDO = 20;
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
  handed: [], // tokens given out whose pictures are not here yet
  missing: [], // tokens whose pictures the server does not have
  past: [], // what can be undone: [{key, token, answer}]
  done: { today: 0, total: 0 },
  online: true,
  filling: false,
  restoring: false,
  undone: false, // the last thing done was an undo: the page says so until the next answer
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
    state.undone = false;
  }
  state.who = { name, id };
  state.past = load(`kilnlight.past.${id}`, []);
  state.handed = load(`kilnlight.handed.${id}`, []);
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

// The picture of a token; null where the server has none. Throws where the server cannot be reached.
async function picture(token) {
  const reply = await fetch(`/label/picture/${token}.jpg`);
  if (!reply.ok) return null;
  const image = new Image();
  image.alt = "";
  image.draggable = false;
  image.src = URL.createObjectURL(await reply.blob());
  await image.decode();
  return { token, image };
}

async function ask() {
  const have = [...state.missing, ...tokensHere(), ...outbox.tokens()];
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
    if (!state.handed.length) {
      const { tokens, done } = await ask();
      if (id === state.who.id) {
        if (!outbox.names().length) state.done = done;
        state.exhausted = tokens.length === 0;
        state.handed = tokens;
        remember();
      }
    }
    await take(id);
    state.online = true;
  } catch {
    state.online = false;
    setTimeout(fill, 3000);
  }
  state.filling = false;
  if (id !== state.who.id || (state.online && !state.exhausted && state.ready.length < AHEAD / 2)) fill();
  counts();
}

async function take(id) {
  while (id === state.who.id && state.handed.length) {
    const [token] = state.handed;
    const item = state.ready.some((x) => x.token === token) ? null : await picture(token);
    if (id !== state.who.id) return;
    state.handed.shift();
    if (!item) state.missing.push(token);
    else state.ready.push(item);
    if (!state.now && !state.restoring && state.ready.length) show(state.ready.shift());
  }
}

const tokensHere = () => [...(state.now ? [state.now.token] : []), ...state.ready.map((x) => x.token), ...state.handed];

// What was given out is shown before anything else, also after a reload: it counts as shown.
function remember() {
  if (state.who) save(`kilnlight.handed.${state.who.id}`, tokensHere());
}

function show(item) {
  state.now = item;
  state.shownAt = new Date().toISOString();
  $("frame").replaceChildren(...(item ? [item.image] : []));
  if (item) $("stage").dataset.token = item.token;
  else delete $("stage").dataset.token;
  remember();
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
  if (state.undone) parts.push(say("undone"));
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

function answer(kind, places = []) {
  if (!state.now) return;
  const { token, image } = state.now;
  const item = { kind: "answer", key: randomId(), token, answer: kind, marks: places, seen_at: state.shownAt };
  state.past.push({ key: item.key, token, image });
  state.undone = false;
  for (const old of state.past.splice(0, Math.max(0, state.past.length - MOST_UNDO))) URL.revokeObjectURL(old.image?.src);
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
  if (state.restoring) return;
  const last = state.past.pop();
  if (!last) return;
  savePast();
  count(-1);
  outbox.put({ kind: "undo", key: randomId(), undoes: last.key, token: last.token }, state.who.id);
  if (state.now) state.ready.unshift(state.now);
  state.ready = state.ready.filter((x) => x.token !== last.token);
  state.handed = state.handed.filter((x) => x !== last.token);
  state.restoring = true; // so that no other picture takes its place meanwhile
  show(null);
  const item = last.image ? last : await picture(last.token).catch(() => null);
  state.restoring = false;
  state.undone = true;
  if (item) {
    show(item);
  } else {
    state.handed.unshift(last.token);
    next();
  }
}

// --- marks ---------------------------------------------------------------------------------------

const byFinger = matchMedia("(hover: none)").matches;
const marking = () => !$("marking").hidden;
const marks = new Marks({
  stage: $("stage"), layer: $("marks"), cross: $("cross"), onChange: (n) => {
    $("finish").disabled = !n;
    $("remove").disabled = !n;
    if (marking()) $("status").textContent = say(byFinger ? "mark_hint" : "mark_hint_keys", { n });
  },
});

function openMarking() {
  if (!state.now) return;
  $("answers").hidden = true;
  $("marking").hidden = false;
  $("bad").disabled = true;
  $("undo").disabled = true;
  $("question").textContent = say("mark_question");
  marks.open();
}

function closeMarking() {
  $("marking").hidden = true;
  $("answers").hidden = false;
  $("question").textContent = say("question");
  marks.close();
}

function finish() {
  if (marks.list.length) answer("kiln", marks.list);
}

// --- buttons and keys ----------------------------------------------------------------------------

const CLICKS = {
  yes: openMarking, no: () => answer("none"), unsure: () => answer("unsure"), bad: () => answer("bad_image"),
  undo, back: closeAndCount, remove: () => marks.removeLast(), finish, again: () => { state.exhausted = false; counts(); fill(); },
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
  arrowleft: () => marks.move(-1, 0), arrowright: () => marks.move(1, 0),
  arrowup: () => marks.move(0, -1), arrowdown: () => marks.move(0, 1),
  " ": () => marks.toggle(), enter: finish, backspace: () => marks.removeLast(),
  [WORDS.key_undo]: () => marks.removeLast(), escape: closeAndCount,
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
