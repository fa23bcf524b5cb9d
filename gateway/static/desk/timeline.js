// The middle pane: one timeline over all channels, kept in the order of the log, each entry once.

import { byId, h, icon, reconcile } from "./dom.js";
import { channelName, day, exact, time } from "./format.js";
import { mailHead, mailRest } from "./mail.js";
import { attachments, states } from "./media.js";
import { isStep, messageState, stepText, systemText } from "./words.js";

const NEAR_END_PX = 80;
const TOGETHER_MS = 180_000;

/* Says that a message was changed later; both versions stay. */
function corrected({ corrects, corrected_by: by }) {
  return corrects || by ? h("span", {}, by ? "Changed later" : "Changes what was written before") : null;
}

export class Timeline {
  constructor(handlers, families) {
    this.handlers = handlers; // older, again
    this.families = families; // of channels, by their ids
    this.box = byId("timeline");
    this.stuck = true; // the newest entry is in view and stays there, whatever grows or shrinks
    this.box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.stuck && this.toEnd()).observe(this.box);
    byId("jump").addEventListener("click", () => this.toEnd());
    this.clear();
  }

  clear() {
    this.entries = new Map();
    this.messages = new Set();
    this.statuses = new Map();
    this.media = new Map(); // what became of attachments
    this.names = {};
    this.older = false;
    reconcile(this.box, []);
  }

  // Adds entries in any order; those that are here already change nothing. Returns the ones that were new.
  add(entries) {
    const added = [];
    for (const entry of entries) {
      if (entry.kind === "message.status") this.statuses.set(entry.ref, entry.body.status);
      else if (entry.kind.startsWith("media.")) this.media.set(entry.body.id, entry.body);
      else if (!this.entries.has(entry.cursor)) {
        this.entries.set(entry.cursor, entry);
        if (entry.message) this.messages.add(entry.message.id);
        added.push(entry);
      }
    }
    return added;
  }

  get atEnd() {
    return this.stuck;
  }

  get sorted() {
    return [...this.entries.values()].sort((one, other) => one.cursor - other.cursor);
  }

  toEnd() {
    this.stuck = true;
    this.box.scrollTop = this.box.scrollHeight;
    byId("jump").hidden = true;
  }

  render({ keepEnd = this.atEnd, fresh = false } = {}) {
    const before = this.box.scrollHeight - this.box.scrollTop;
    const parts = this.older ? [{ key: "older", sign: "", make: () => h("button", { class: "button small older", type: "button", onclick: () => this.handlers.older() }, "Show earlier") }] : [];
    let previous = null;
    let steps = [];
    const flush = () => {
      const folded = steps;
      if (folded.length) parts.push({ key: `steps ${folded[0].cursor}`, sign: String(folded.length), make: () => fold(folded) });
      steps = [];
    };
    for (const entry of this.sorted) {
      if (isStep(entry)) {
        steps.push(entry);
        continue;
      }
      if (!entry.message && entry.kind !== "note.added" && !systemText(entry, this.names)) continue;
      flush();
      const label = day(entry.at);
      if (!previous || day(previous.at) !== label) parts.push({ key: `day ${label}`, sign: "", make: () => h("p", { class: "day" }, h("span", {}, label)) });
      const together = this.#together(entry, previous);
      parts.push({ key: entry.cursor, sign: this.#sign(entry, together), make: () => this.#entry(entry, together) });
      previous = entry;
    }
    flush();
    reconcile(this.box, parts);
    if (keepEnd) this.toEnd();
    else if (fresh) byId("jump").hidden = false;
    else this.box.scrollTop = this.box.scrollHeight - before;
  }

  // What an entry's look depends on besides the entry itself, which never changes.
  #sign({ message }, together) {
    return JSON.stringify([together, this.names, message && this.statuses.get(message.id), message && this.#resent(message), message && states(message.media, this.media)]);
  }

  #resent(message) {
    return this.messages.has(message.again);
  }

  #together(entry, previous) {
    const [one, other] = [entry.message, previous?.message];
    return Boolean(one && other && one.author === other.author && one.agent === other.agent && one.channel === other.channel && entry.at - previous.at < TOGETHER_MS);
  }

  #entry(entry, together) {
    if (entry.message) return this.#message(entry, together);
    if (entry.kind === "note.added") return this.#note(entry);
    return h("p", { class: "system", "data-cursor": entry.cursor }, systemText(entry, this.names), clock(entry.at));
  }

  #message(entry, together) {
    const { message } = entry;
    const status = this.statuses.get(message.id) ?? message.status;
    const family = this.families[message.channel] ?? message.channel;
    const side = message.author === "customer" ? "customer" : `mine ${message.author}`;
    const by = message.author === "agent" ? (this.names[message.agent] ?? "Agent") : { customer: "Customer", bot: "Bot", system: "System" }[message.author];
    const wordless = !message.text && message.media?.length;
    const bubble = wordless ? null : h("div", { class: `bubble ${side} ${family}`, dir: "auto" }, message.text || h("em", {}, { ussd: "Dialled", ivr: "Nothing said" }[family] ?? "No text"));
    return h(
      "article",
      { class: `said ${side}${together ? " together" : ""}`, "data-cursor": entry.cursor, "data-message": message.id, "data-author": message.author },
      together ? null : h("p", { class: "by" }, h("strong", { dir: "auto" }, by), h("span", { class: "via" }, icon(family), channelName(family))),
      message.letter ? mailHead(message) : null,
      bubble,
      message.letter ? mailRest(message) : null,
      attachments(message.media, this.media),
      message.choices?.length ? h("ul", { class: "choices", "aria-label": "Options offered" }, ...message.choices.map((label) => h("li", { dir: "auto" }, label))) : null,
      h("p", { class: "meta" }, clock(entry.at), corrected(message), message.author === "customer" ? null : this.#state(message, status, family)),
    );
  }

  #state(message, status, family) {
    const state = messageState(message, status, family);
    const shown = h("span", { class: `state ${state.tone}` }, state.glyph ? icon(state.glyph) : null, state.text);
    if (message.author !== "agent" || status !== "cancelled") return shown;
    if (this.#resent(message)) return h("span", { class: "state" }, "Not sent at first; sent again below");
    const again = h("button", { class: "button small", type: "button", onclick: () => this.handlers.again(message) }, "Send anyway");
    return [shown, again];
  }

  #note(entry) {
    const by = this.names[entry.body.agent_id] ?? "Agent";
    return h(
      "article",
      { class: "note internal", "data-cursor": entry.cursor },
      h("p", { class: "by" }, h("strong", { dir: "auto" }, by), " Internal note"),
      h("p", { class: "text", dir: "auto" }, entry.body.text),
      h("p", { class: "meta" }, clock(entry.at)),
    );
  }

  #scrolled() {
    this.stuck = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR_END_PX;
    if (this.stuck) byId("jump").hidden = true;
  }
}

const clock = (at) => h("time", { datetime: new Date(at).toISOString(), title: exact(at) }, time(at));

function fold(steps) {
  const count = steps.length === 1 ? "1 step of the bot" : `${steps.length} steps of the bot`;
  return h("details", { class: "steps" }, h("summary", {}, count), h("ol", {}, ...steps.map((entry) => h("li", {}, stepText(entry), " ", clock(entry.at)))));
}
