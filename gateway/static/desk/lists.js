// The left pane: what waits, what is mine, and for supervisors what colleagues have. The order is by age and never jumps.

import { byId, differs, h, icon, reconcile } from "./dom.js";
import { age, channelName, exact, personName, urgency, words } from "./format.js";
import { reasonText } from "./words.js";

const TABS = { queue: "Queue", mine: "Mine", others: "Team" };
const ATTACHED = { image: "Picture", audio: "Voice note", video: "Video", document: "File", location: "Place", contact: "Contact" };
const EMPTY = { queue: "Nobody is waiting. Who asks for a person appears here by itself.", mine: "You have no open conversations. Claim one from the queue.", others: "Nobody else has open conversations." };

export class Lists {
  constructor(onOpen, me) {
    this.onOpen = onOpen;
    this.me = me;
    this.tab = "queue";
    this.open = null;
    this.lines = { queue: [], mine: [] };
    this.seen = readSeen();
    setInterval(() => this.#ages(), 5000);
  }

  update(lists) {
    if (!this.begun && !lists.queue.length && lists.mine.length) this.tab = "mine"; // who comes back sees the own work, not an empty list
    this.begun = true;
    this.lines = lists;
    this.#render();
  }

  show(tab) {
    if (!this.lines[tab]) return;
    this.tab = tab;
    this.#render();
  }

  // Marks the open conversation, and remembers up to where it was read.
  mark(conversation, seq) {
    this.open = conversation;
    if (conversation && seq) {
      this.seen.set(conversation, Math.max(seq, this.seen.get(conversation) ?? 0));
      writeSeen(this.seen);
    }
    this.#render();
  }

  move(step) {
    const buttons = [...byId("rows").querySelectorAll("button")];
    if (!buttons.length) return;
    const at = buttons.indexOf(document.activeElement);
    const from = at >= 0 ? at : buttons.findIndex((one) => one.getAttribute("aria-current") === "true");
    const to = from < 0 ? (step > 0 ? 0 : buttons.length - 1) : Math.min(buttons.length - 1, Math.max(0, from + step));
    buttons[to].focus();
  }

  // The line that a key acts on: the focused one, else the open one.
  current() {
    const focused = document.activeElement?.dataset?.conversation;
    return this.#all().find((line) => line.conversation === (focused ?? this.open));
  }

  #all() {
    return [...this.lines.queue, ...this.lines.mine, ...(this.lines.others ?? [])];
  }

  #unread(line) {
    return line.agent === this.me && line.last.author === "customer" && line.last.seq > (this.seen.get(line.conversation) ?? 0);
  }

  #render() {
    const unread = this.lines.mine.filter((line) => this.#unread(line)).length;
    const tabs = Object.keys(TABS).filter((tab) => this.lines[tab]);
    reconcile(byId("tabs"), tabs.map((tab) => ({ key: tab, sign: JSON.stringify([this.lines[tab].length, tab === this.tab, unread]), make: () => this.#tab(tab, unread) })));
    const lines = this.lines[this.tab] ?? [];
    const rows = lines.map((line) => ({ key: line.id, sign: JSON.stringify([line, this.tab, line.conversation === this.open, this.#unread(line)]), make: () => h("li", {}, this.#row(line)) }));
    reconcile(byId("rows"), rows);
    byId("rows-empty").hidden = lines.length > 0;
    if (differs(byId("rows-empty"), this.tab)) byId("rows-empty").textContent = EMPTY[this.tab];
    const waiting = this.lines.queue.length;
    document.title = `${unread ? `(${unread}) ` : ""}Desk${waiting ? `, ${waiting} waiting` : ""} · Parley`;
  }

  #tab(tab, unread) {
    const count = this.lines[tab].length;
    const dot = tab === "mine" && unread ? h("span", { class: "dot", title: `${unread} unread` }) : null;
    const button = h("button", { type: "button", "aria-pressed": String(tab === this.tab), "data-tab": tab }, TABS[tab], h("span", { class: "count" }, String(count)), dot);
    button.addEventListener("click", () => this.show(tab));
    return button;
  }

  #row(line) {
    const name = personName(line.name, line.family, line.address);
    const since = line.state === "waiting" ? line.created_at : (line.customer_at ?? line.created_at);
    const author = line.last.author === "agent" ? (line.agent === this.me ? "You" : "Agent") : null;
    const unread = this.#unread(line);
    const button = h(
      "button",
      { type: "button", class: `line${unread ? " unread" : ""}`, "data-conversation": line.conversation, "data-item": line.id, "aria-current": line.conversation === this.open ? "true" : null },
      h("span", { class: "mark", title: channelName(line.family) }, icon(line.family, channelName(line.family))),
      h("span", { class: "name", dir: "auto", title: name }, name),
      h("span", { class: `age ${urgency(since)}`, "data-since": since, title: `Since ${exact(since)}` }, age(since)),
      h("span", { class: "excerpt", dir: "auto" }, author ? h("span", { class: "by" }, `${author}: `) : null, line.last.text || ATTACHED[line.last.attached] || "No words yet"),
      h("span", { class: "why" }, line.state === "working" && this.tab === "others" ? line.agent_name : line.wanted ? words(line.wanted) : reasonText(line.reason)),
      line.on_line ? h("span", { class: "on-line" }, "On the phone") : null,
      unread ? h("span", { class: "visually-hidden" }, "Unread") : null,
    );
    button.addEventListener("click", () => this.onOpen(line.conversation));
    return button;
  }

  #ages() {
    for (const shown of byId("rows").querySelectorAll(".age")) {
      const since = Number(shown.dataset.since);
      shown.textContent = age(since);
      shown.className = `age ${urgency(since)}`;
    }
  }
}

const SEEN = "parley.desk.seen";
const KEPT = 300;

function readSeen() {
  try {
    return new Map(JSON.parse(localStorage.getItem(SEEN) ?? "[]"));
  } catch {
    return new Map();
  }
}

function writeSeen(seen) {
  localStorage.setItem(SEEN, JSON.stringify([...seen].slice(-KEPT)));
}
