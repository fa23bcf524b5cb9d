// The file that goes out with a reply: chosen, pasted or dropped, uploaded at once, shown with its name and size, and taken back.
// Each conversation has its own. What the chosen way does not take is said before anything is sent.

import { upload } from "./api.js";
import { announce, byId, h, icon } from "./dom.js";
import { channelName, size } from "./format.js";

const PICTURE_PX = 48;

export class Attachment {
  constructor({ changed, path, most }) {
    Object.assign(this, { changed, path, most }); // changed(): what can be sent is another; path(): of the open conversation; most: bytes
    this.kept = new Map(); // by conversation: { file, state, progress, answer, problem, request }
    this.key = null;
    this.way = null;
    this.input = h("input", { type: "file", hidden: true, tabindex: "-1" });
    this.input.addEventListener("change", () => this.take(this.input.files));
    this.button = h("button", { class: "button quiet icon clip", type: "button", "aria-label": "Attach a file", title: "Attach a file", onclick: () => this.#choose() }, icon("clip"));
    this.shown = h("div", { class: "attaching", hidden: true });
    this.why = h("p", { class: "hint attach-why", role: "status", hidden: true });
    const place = byId("thread");
    place.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
    place.addEventListener("drop", (event) => {
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      this.take(event.dataTransfer.files);
    });
  }

  // Shows what belongs to a conversation and a way, or nothing while a note is written or somebody else has it.
  show(key, way, replying) {
    const moved = key !== this.key;
    Object.assign(this, { key, way, replying });
    this.button.hidden = !replying;
    this.button.setAttribute("aria-disabled", String(this.#refusal !== ""));
    this.button.title = this.#refusal || "Attach a file";
    if (moved || !this.#refusal || !replying) this.#explain("");
    this.#render();
  }

  get #one() {
    return this.replying ? this.kept.get(this.key) : undefined;
  }

  // Why no file can go now, empty if one can.
  get #refusal() {
    if (!this.way) return "There is no way to write to this customer now.";
    return this.way.files ? "" : `Files cannot be sent by ${channelName(this.way.family)} here.`;
  }

  get present() {
    return Boolean(this.#one);
  }

  get ticket() {
    return this.#one?.answer?.file;
  }

  // What keeps the reply from being sent with the file, empty if nothing does.
  problem(text) {
    const one = this.#one;
    if (!one) return "";
    if (one.problem) return one.problem;
    if (this.#refusal) return this.#refusal;
    if (!one.answer) return "The file is being uploaded.";
    const { types, max_bytes: most, captioned, caption_max_chars: chars } = this.way.files;
    if (types.length && !types.includes(one.answer.content_type)) return `A file of this kind cannot be sent by ${channelName(this.way.family)}.`;
    if (most && one.file.size > most) return `A file of at most ${size(most)} can be sent by ${channelName(this.way.family)}.`;
    if (text && !captioned.includes(one.answer.kind)) return "No text can go beside this file: send one after the other.";
    return chars && [...text].length > chars ? `At most ${chars} characters fit beside a file.` : "";
  }

  take(files) {
    const file = files[0];
    if (!file || !this.replying) return;
    if (this.#refusal || files.length > 1) {
      this.#explain(this.#refusal || "One file goes with a reply.");
      return;
    }
    this.#explain("");
    this.remove();
    const one = { file, progress: 0 };
    this.kept.set(this.key, one);
    const most = Math.min(this.most, this.way.files.max_bytes || this.most);
    if (file.size > most) one.problem = `The file is larger than ${size(most)}.`;
    else this.#upload(one);
    this.#picture(one);
    this.#render();
    this.changed();
    byId("reply-box").focus();
  }

  // Forgets the file of the open conversation, or of `key`: it was sent, or is not wanted.
  remove(key = this.key) {
    this.kept.get(key)?.request?.abort();
    if (!this.kept.delete(key)) return;
    this.input.value = "";
    this.#render();
    this.changed();
  }

  #choose() {
    if (this.#refusal) this.#explain(this.#refusal);
    else this.input.click();
  }

  #explain(text) {
    this.why.textContent = text;
    this.why.hidden = !text;
  }

  async #upload(one) {
    const address = `${this.path()}/files?target=${encodeURIComponent(this.way.key)}&name=${encodeURIComponent(one.file.name)}`;
    const progress = (part) => {
      one.progress = part;
      this.#render();
    };
    try {
      one.answer = await upload(address, one.file, { progress, began: (request) => { one.request = request; } });
      announce(`${one.file.name} is attached`);
    } catch (error) {
      one.problem = error.message;
    }
    if (![...this.kept.values()].includes(one)) return;
    this.#render();
    this.changed();
  }

  // A small copy on a canvas: the page may show no picture that is not the gateway's.
  async #picture(one) {
    const bitmap = /^image\/(png|jpeg|gif|webp)$/.test(one.file.type) ? await createImageBitmap(one.file).catch(() => null) : null;
    if (!bitmap) return;
    const scale = Math.min(1, (PICTURE_PX * devicePixelRatio) / Math.max(bitmap.width, bitmap.height));
    const canvas = h("canvas", { width: Math.max(1, Math.round(bitmap.width * scale)), height: Math.max(1, Math.round(bitmap.height * scale)), role: "img", "aria-label": `Picture: ${one.file.name}` });
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    one.picture = canvas;
    this.#render();
  }

  #render() {
    const one = this.#one;
    this.shown.hidden = !one;
    if (!one) {
      this.shown.replaceChildren();
      return;
    }
    if (!this.shown.contains(one.box)) {
      one.progressBar = h("progress", { max: 1, "aria-label": "Upload" });
      one.note = h("span", { class: "size", role: "status" });
      one.look = h("span", { class: "look" }, icon("file"));
      const remove = h("button", { class: "button small quiet", type: "button", "aria-label": `Remove ${one.file.name}`, onclick: () => { this.remove(); byId("reply-box").focus(); } }, "Remove");
      one.box = h("div", { class: "one" }, one.look, h("span", { class: "name", dir: "auto" }, one.file.name || "File"), one.note, one.progressBar, remove);
      this.shown.replaceChildren(one.box);
    }
    if (one.picture && !one.look.contains(one.picture)) one.look.replaceChildren(one.picture);
    const going = !one.answer && !one.problem;
    one.progressBar.hidden = !going;
    if (one.progress) one.progressBar.value = one.progress;
    one.note.textContent = one.problem || size(one.file.size);
    one.box.classList.toggle("bad", Boolean(one.problem));
  }
}
