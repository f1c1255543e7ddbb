// Marks on the picture: tap or drag with a finger, or move a cross with the arrows. Marks are shares (0-1)
// of the picture from its upper left corner.

const MOST = 20;
const NEAR = 0.045; // a tap this near to a mark takes it away
const STEP = 0.02;
const MIDDLE = { u: 0.5, v: 0.5 };

const within = (x) => Math.min(1, Math.max(0, x));

function place(element, { u, v }) {
  element.style.left = `${u * 100}%`;
  element.style.top = `${v * 100}%`;
}

export class Marks {
  // `layer` takes the marks, `cross` is the keyboard's pointer, `onChange(count)` follows every change.
  constructor({ stage, layer, cross, onChange }) {
    Object.assign(this, { stage, layer, cross, onChange });
    this.active = false;
    this.dragging = false;
    this.clear();
    stage.addEventListener("pointerdown", (event) => this.press(event));
    stage.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { this.dragging = false; });
  }

  open() {
    this.active = true;
    this.stage.classList.add("marking");
    this.stage.tabIndex = 0;
    this.stage.focus({ preventScroll: true });
    this.clear();
  }

  close() {
    this.active = false;
    this.dragging = false;
    this.stage.classList.remove("marking");
    this.stage.tabIndex = -1;
    this.clear();
  }

  clear() {
    this.list = [];
    this.at = null;
    this.draw();
  }

  removeLast() {
    this.list.pop();
    this.draw();
  }

  move(right, down) {
    const { u, v } = this.at ?? MIDDLE;
    this.at = { u: within(u + right * STEP), v: within(v + down * STEP) };
    this.draw();
  }

  // Sets a mark, or takes away the one that is there; true where one was set.
  toggle(at = this.at ?? MIDDLE) {
    const near = this.list.findIndex((m) => Math.hypot(m.u - at.u, m.v - at.v) < NEAR);
    if (near >= 0) this.list.splice(near, 1);
    else if (this.list.length < MOST) this.list.push(at);
    else return false;
    this.draw();
    return near < 0;
  }

  press(event) {
    if (!this.active || !event.isPrimary || event.button) return;
    event.preventDefault();
    this.at = null;
    this.dragging = this.toggle(this.share(event));
    if (this.dragging) this.stage.setPointerCapture(event.pointerId);
  }

  // the mark follows the finger until it is lifted
  drag(event) {
    if (!this.dragging || !event.isPrimary || !this.list.length) return;
    this.list[this.list.length - 1] = this.share(event);
    this.draw();
  }

  share(event) {
    const box = this.stage.getBoundingClientRect();
    return { u: within((event.clientX - box.left) / box.width), v: within((event.clientY - box.top) / box.height) };
  }

  draw() {
    const dots = this.list.map((at) => {
      const dot = document.createElement("span");
      dot.className = "mark";
      place(dot, at);
      return dot;
    });
    this.layer.replaceChildren(...dots);
    this.cross.hidden = !this.at;
    if (this.at) place(this.cross, this.at);
    this.onChange(this.list.length);
  }
}
