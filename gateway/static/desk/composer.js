// The reply box. It carries the number of the newest entry that its writer has seen; the gateway refuses a reply over anything newer.

import { newId } from "./api.js";
import { Attachment } from "./attach.js";
import { byId, differs, h } from "./dom.js";
import { channelName, number, time } from "./format.js";
import { measure } from "./sms.js";

const PROBLEMS = { opted_out: "opted out of messages", moved: "address has a new owner", guest: "takes part in the mails, but is not known to be the customer", no_channel: "no channel can send there", unreachable: "mails to it came back" };
const ROWS_MAX_PX = 220;

export class Composer {
  constructor(handlers) {
    this.handlers = handlers; // send(id, text, against, target, file), note(id, text), typing(), seen(), claim(), entriesAfter(seq), path(), file_max_bytes
    this.key = null;
    this.mode = "reply";
    this.against = 0;
    this.ways = [];
    this.busy = false;
    this.unanswered = null; // a reply or note of which it is not known whether it was sent, for as long as its text is not touched
    this.files = new Attachment({ changed: () => this.#filesChanged(), path: handlers.path, most: handlers.file_max_bytes });
    this.#build();
  }

  // Shows the box for a conversation; `access` is mine, waiting, other or closed.
  open({ key, ways, access, holder }) {
    const changed = key !== this.key;
    if (changed) {
      this.key = key;
      this.mode = "reply";
      this.warning.hidden = true;
      this.against = this.handlers.seen();
    }
    const given = access === "mine" && this.access !== "mine" && !this.written && document.activeElement !== this.box;
    this.access = access;
    this.#targets(ways, changed);
    this.closed.hidden = access === "mine";
    this.closed.replaceChildren(...this.#reason(access, holder));
    if (access !== "mine" && this.mode === "reply") this.mode = "note";
    else if (given) this.mode = "reply";
    this.#showMode(changed || given);
  }

  get written() {
    return this.box.value !== "" || this.files.present;
  }

  focus(mode) {
    if (mode === "reply" && this.access !== "mine") return;
    if (mode !== this.mode) {
      this.mode = mode;
      this.#showMode(true);
    }
    this.box.focus();
  }

  #build() {
    this.reply = h("button", { type: "button", onclick: () => this.focus("reply") }, "Reply");
    this.note = h("button", { type: "button", onclick: () => this.focus("note") }, "Note");
    this.target = h("select", { class: "input target", "aria-label": "Send by" });
    this.target.addEventListener("change", () => this.#count());
    this.box = h("textarea", { id: "reply-box", class: "input", rows: 1, dir: "auto", "aria-describedby": "count", autocomplete: "off" });
    this.box.addEventListener("input", () => this.#typed());
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.submit();
      }
    });
    this.box.addEventListener("paste", (event) => {
      if (this.mode !== "reply" || !event.clipboardData.files.length) return;
      event.preventDefault();
      this.files.take(event.clipboardData.files);
    });
    this.count = h("p", { class: "count", id: "count" });
    this.button = h("button", { class: "button primary", type: "button", onclick: () => this.submit(), title: "Ctrl+Enter" }, "Send");
    this.closed = h("div", { class: "closed" });
    this.warning = h("div", { class: "outdated", role: "alert", hidden: true });
    this.form = h(
      "div",
      { class: "form" },
      h("div", { class: "top" }, h("div", { class: "segmented", role: "group", "aria-label": "Kind" }, this.reply, this.note), this.target),
      this.box,
      this.files.shown,
      this.files.why,
      h("div", { class: "bottom" }, this.count, h("span", { class: "hint wide" }, h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Enter")), this.files.button, this.files.input, this.button),
    );
    byId("composer").replaceChildren(this.warning, this.closed, this.form);
  }

  #reason(access, holder) {
    if (access === "waiting") return [h("span", {}, "Claim the conversation to reply."), h("button", { class: "button primary small", type: "button", onclick: () => this.handlers.claim() }, "Claim")];
    if (access === "other") return [h("span", { dir: "auto" }, `${holder ?? "A colleague"} has this conversation. You can add notes.`)];
    return [h("span", {}, "This conversation is closed. You can add notes.")];
  }

  #targets(ways, changed) {
    if (!differs(this.target, [this.key, ways])) return;
    const kept = changed ? null : this.target.value;
    this.ways = ways;
    this.target.replaceChildren(
      ...ways.map((way) => {
        const to = `${channelName(way.family)}${way.family === "web" ? "" : ` to ${way.address}`}`;
        return h("option", { value: way.key, disabled: !way.possible }, way.possible ? to : `${to}: ${PROBLEMS[way.problem] ?? "not possible"}`);
      }),
    );
    const best = ways.find((way) => way.key === kept && way.possible) ?? ways.find((way) => way.possible);
    if (best) this.target.value = best.key;
  }

  get #way() {
    return this.ways.find((way) => way.key === this.target.value && way.possible);
  }

  #showMode(load) {
    const note = this.mode === "note";
    this.reply.setAttribute("aria-pressed", String(!note));
    this.note.setAttribute("aria-pressed", String(note));
    this.reply.disabled = this.access !== "mine";
    this.target.hidden = note;
    this.form.classList.toggle("noting", note);
    this.box.setAttribute("aria-label", note ? "Internal note" : "Reply to the customer");
    this.box.placeholder = note ? "Only colleagues see this" : "Write to the customer";
    this.button.textContent = note ? "Add note" : "Send";
    if (load) this.box.value = localStorage.getItem(this.#draftKey()) ?? "";
    this.#grow();
    this.#count();
  }

  #draftKey() {
    return `parley.desk.draft.${this.key}.${this.mode}`;
  }

  #typed() {
    this.unanswered = null;
    this.against = this.handlers.seen();
    if (this.box.value) localStorage.setItem(this.#draftKey(), this.box.value);
    else localStorage.removeItem(this.#draftKey());
    if (this.mode === "reply" && this.box.value && this.#way?.family === "web") this.handlers.typing();
    this.#grow();
    this.#count();
  }

  // Another file, or none: what was not answered before was another reply.
  #filesChanged() {
    this.unanswered = null;
    this.#count();
  }

  #grow() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(ROWS_MAX_PX, this.box.scrollHeight + 2)}px`;
  }

  #count() {
    const text = this.box.value.trim();
    const way = this.#way;
    this.files.show(this.key, way, this.mode === "reply" && this.access === "mine");
    const most = this.mode === "note" ? 4000 : (way?.text_max_chars ?? 0);
    const over = [...text].length > most;
    let shown = most ? `${number([...text].length)} of ${number(most)}` : "There is no way to write to this customer now.";
    if (this.mode === "reply" && way?.family === "sms") {
      const { encoding, units, parts, left } = measure(text);
      shown = `${encoding}, ${units} ${encoding === "GSM-7" ? "characters" : "units"}, ${parts} ${parts === 1 ? "part" : "parts"}, ${left} left`;
    }
    const problem = this.files.problem(text);
    if (over) shown = `${shown}: too long, at most ${number(most)}`;
    this.count.textContent = problem || shown;
    this.count.classList.toggle("over", over || Boolean(problem));
    this.button.disabled = this.busy || (!text && !this.files.present) || over || Boolean(problem) || (this.mode === "reply" && (!way || this.access !== "mine"));
  }

  async submit(against = this.against) {
    const text = this.box.value.trim();
    this.#count();
    if (this.button.disabled) return;
    const [key, draft, target, mode] = [this.key, this.#draftKey(), this.#way?.key, this.mode];
    const id = this.#idOf(draft, target);
    this.busy = true;
    this.#count();
    try {
      if (mode === "note") await this.handlers.note(id, text);
      else await this.handlers.send(id, text, against, target, this.files.ticket);
      localStorage.removeItem(draft);
      if (mode === "reply") this.files.remove(key);
      if (this.key === key && this.mode === mode) this.#done();
    } catch (error) {
      if (error.offline) this.unanswered = { draft, target, id };
      if (error.code === "outdated" && this.key === key) await this.#outdated(against, error.details.seq);
      else this.handlers.failed(error);
    } finally {
      this.busy = false;
      this.#count();
      this.box.focus();
    }
  }

  // The same text again keeps its id, so that it is sent once even if the answer to the first request was lost.
  #idOf(draft, target) {
    const last = this.unanswered;
    this.unanswered = null;
    return last?.draft === draft && last.target === target ? last.id : newId();
  }

  // After a note the box is for the customer again.
  #done() {
    this.box.value = "";
    this.warning.hidden = true;
    if (this.mode === "note" && this.access === "mine") {
      this.mode = "reply";
      this.#showMode(true);
    }
    this.#grow();
  }

  // Something was said that the writer had not seen: shows it, and lets them send all the same.
  async #outdated(against, seq) {
    const entries = await this.handlers.entriesAfter(against);
    const newer = entries.filter((entry) => entry.message && entry.message.author !== "bot");
    const anyway = h("button", { class: "button small warm", type: "button", onclick: () => this.submit(Math.max(seq, this.handlers.seen())) }, "Send anyway");
    const edit = h("button", { class: "button small", type: "button", onclick: () => this.#edit(seq) }, "Change my reply");
    this.warning.replaceChildren(
      h("p", {}, h("strong", {}, "Not sent: "), "this was said while you were writing."),
      h("ul", {}, ...newer.map((entry) => h("li", {}, h("time", {}, time(entry.at)), " ", h("bdi", {}, entry.message.text)))),
      h("div", { class: "actions" }, anyway, edit),
    );
    this.warning.hidden = false;
    this.against = Math.max(seq, this.against);
  }

  #edit(seq) {
    this.against = Math.max(seq, this.handlers.seen());
    this.warning.hidden = true;
    this.box.focus();
  }
}
