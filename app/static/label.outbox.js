// The outbox: answers wait in localStorage until the server says that it has them.
// One storage entry per item, so that two tabs never overwrite each other's list. Every item carries a
// key of its own: sent twice, it is stored once.

const PREFIX = "kilnlight.out.";
const BATCH = 40;
const RETRY_MS = 3000;
const memory = new Map(); // where the browser gives no storage (some private modes)
let counter = 0;

export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}

export function load(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function save(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

export class Outbox {
  // `onState({waiting, online, refused, done})` is called after every change.
  constructor(onState) {
    this.onState = onState;
    this.refused = 0;
    this.sending = false;
    addEventListener("online", () => this.send());
    // the last words of a page that is closed; what does not arrive is sent again next time
    addEventListener("pagehide", () => this.send(true));
  }

  put(item, volunteer) {
    counter += 1;
    const order = `${String(Date.now()).padStart(15, "0")}.${String(counter).padStart(6, "0")}`;
    const name = `${PREFIX}${order}.${item.key}`;
    const entry = { volunteer, item };
    if (!save(name, entry)) memory.set(name, entry);
    this.onState({ waiting: this.names().length });
    this.send();
  }

  names() {
    const stored = [];
    try {
      for (let i = 0; i < localStorage.length; i += 1) stored.push(localStorage.key(i));
    } catch { /* no storage: the memory is all there is */ }
    return [...stored.filter((n) => n.startsWith(PREFIX)), ...memory.keys()].sort();
  }

  tokens() {
    return this.names().map((n) => this.entry(n)?.item.token).filter(Boolean);
  }

  entry(name) {
    return memory.get(name) ?? load(name, null);
  }

  drop(names) {
    for (const n of names) {
      memory.delete(n);
      try {
        localStorage.removeItem(n);
      } catch { /* nothing was stored */ }
    }
  }

  // The oldest entries of one volunteer, in the order in which they were made.
  batch() {
    const all = this.names().map((name) => ({ name, entry: this.entry(name) })).filter((x) => x.entry);
    const volunteer = all[0]?.entry.volunteer;
    return { volunteer, part: all.filter((x) => x.entry.volunteer === volunteer).slice(0, BATCH) };
  }

  async send(closing = false) {
    if (this.sending && !closing) return;
    const { volunteer, part } = this.batch();
    if (!part.length) return;
    this.sending = true;
    let ok = false;
    try {
      const reply = await fetch("/label/api/answers", {
        method: "POST",
        keepalive: closing,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ volunteer, items: part.map((x) => x.entry.item) }),
      });
      if (!reply.ok) throw new Error(String(reply.status));
      const { stored, refused, done } = await reply.json();
      const settled = new Set([...stored, ...refused]);
      this.drop(part.filter((x) => settled.has(x.entry.item.key)).map((x) => x.name));
      this.refused += refused.length;
      ok = settled.size > 0;
      this.onState({ waiting: this.names().length, online: true, refused: this.refused, done, volunteer });
    } catch {
      this.onState({ waiting: this.names().length, online: false });
    }
    this.sending = false;
    clearTimeout(this.timer);
    if (this.names().length) this.timer = setTimeout(() => this.send(), ok ? 0 : RETRY_MS);
  }
}
