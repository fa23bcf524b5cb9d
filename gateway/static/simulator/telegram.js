/* Telegram on the phone: a bot with its buttons, commands, attachments, and messages that their writer changes. */

import { Texts } from "./texts.js";
import { TROUBLE, all, ask, find, node } from "./wire.js";

export class Telegram extends Texts {
  constructor(phone) {
    super(phone, { app: "telegram", kind: "telegram", list: "#tg-texts", nothing: "#tg-nothing", form: "#tg-form", input: "#tg-text" });
    this.editing = 0;
    find("#tg-start").addEventListener("click", () => this.write("/start"));
    find("#tg-leave").addEventListener("click", () => this.edit(null));
    for (const button of all("[data-share]")) button.addEventListener("click", () => this.send({ share: button.dataset.share }));
    find("#tg-attach").addEventListener("click", (event) => event.target.closest("button") && (find("#tg-attach").open = false));
    find("#tg-attach").addEventListener("keydown", (event) => event.key === "Escape" && (find("#tg-attach").open = false));
  }

  clear() {
    super.clear();
    this.edit(null);
    this.keys(null);
  }

  load(memory) {
    super.load(memory);
    const asked = memory.telegram.findLast((message) => message.keyboard || message.sent);
    this.keys(asked?.keyboard);
  }

  arrived(message) {
    super.arrived(message);
    if (message.msisdn !== this.phone.number) return;
    if (message.sent) this.keys(null);
    else if (message.keyboard) this.keys(message.keyboard);
  }

  item(message) {
    const item = super.item(message);
    if (message.edited) item.querySelector("time").prepend("edited ");
    if (message.file && !message.files?.length) item.querySelector(".bubble").append(node("span", "attachment", `Attachment: ${message.kind}`));
    if (message.sent && message.text && !message.kind && !/^[📍🎤👋]/u.test(message.text)) {
      const change = node("button", "tg-change", "Edit");
      change.type = "button";
      change.setAttribute("aria-label", `Edit ${message.text}`);
      change.addEventListener("click", () => this.edit(message));
      item.querySelector("time").append(" ", change);
    }
    if (message.inline_keyboard?.length) item.insertBefore(this.buttons(message), item.querySelector("time"));
    return item;
  }

  buttons(message) {
    const keyboard = node("div", "quick tg-inline");
    message.inline_keyboard.forEach((buttons, row) => {
      const line = node("div", "tg-row");
      buttons.forEach((one, column) => {
        const button = node("button", "button small", one.text);
        button.type = "button";
        button.addEventListener("click", () => this.send({ message: message.number, press: [row, column] }));
        line.append(button);
      });
      keyboard.append(line);
    });
    if (message.waiting) keyboard.setAttribute("aria-busy", "true");
    return keyboard;
  }

  /* Keys that the bot shows below the talk, such as the one that shares the person's number. */
  keys(rows) {
    const keys = find("#tg-keys");
    keys.replaceChildren();
    keys.hidden = !rows;
    for (const one of (rows ?? []).flat()) {
      const button = node("button", "button small", one.text);
      button.type = "button";
      button.addEventListener("click", () => this.send(one.request_contact ? { share: "contact" } : { text: one.text }));
      keys.append(button);
    }
  }

  edit(message) {
    this.editing = message?.number ?? 0;
    find("#tg-editing").hidden = !message;
    this.input.value = message?.text ?? "";
    if (message) this.input.focus();
  }

  async write(text) {
    if (!this.editing) return super.write(text);
    const number = this.editing;
    if (!text.trim()) return undefined;
    this.edit(null);
    try {
      await ask("telegram", { msisdn: this.phone.number, message: number, text });
    } catch {
      this.refused(TROUBLE);
    }
    return undefined;
  }
}
