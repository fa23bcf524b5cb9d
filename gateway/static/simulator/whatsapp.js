/* WhatsApp on the phone: quick replies, pictures, places, blue ticks, and the 24 hours in which the operator may write freely. */

import { Texts } from "./texts.js";
import { ask, find, node, time } from "./wire.js";

const TICKS = { delivered: "✓✓", sent: "✓", read: "✓✓" };

export class WhatsApp extends Texts {
  constructor(phone) {
    super(phone, { app: "whatsapp", kind: "whatsapp", list: "#wa-texts", nothing: "#wa-nothing", form: "#wa-form", input: "#wa-text" });
    find("#wa-place").addEventListener("click", () => this.send({ place: true }));
    find("#wa-day").addEventListener("click", () => this.passDay());
    this.window({ open_until: 0 });
  }

  load(memory) {
    super.load(memory);
    this.look();
    if (this.phone.shown === this.app) this.see();
  }

  opened() {
    super.opened();
    this.see();
  }

  arrived(message) {
    super.arrived(message);
    if (message.msisdn !== this.phone.number) return;
    if (message.sent) this.look();
    if (this.phone.shown === this.app) this.see();
  }

  item(message) {
    const item = super.item(message);
    item.dataset.status = message.status;
    if (message.place) item.querySelector(".bubble").append(node("span", "attachment", `📍 ${message.place}`));
    if (!message.sent) {
      item.dataset.id = message.id;
      item.querySelector("time").append(node("span", message.status === "read" ? "ticks seen" : "ticks", ` ${TICKS[message.status] ?? ""}`));
    }
    if (message.buttons?.length) {
      const row = node("div", "quick");
      for (const [title, payload] of message.buttons) {
        const button = node("button", "button small", title);
        button.type = "button";
        button.addEventListener("click", () => this.send({ button: payload, message: message.id }));
        row.append(button);
      }
      item.insertBefore(row, item.querySelector("time"));
    }
    return item;
  }

  /* What is on the screen of an open app has been read. */
  see() {
    for (const item of this.list.querySelectorAll('.got[data-status="delivered"]')) {
      item.dataset.status = "read";
      ask("whatsapp/read", { msisdn: this.phone.number, id: item.dataset.id }).catch(() => (item.dataset.status = "delivered"));
    }
  }

  async look() {
    const number = this.phone.number;
    const answer = await fetch(`/simulator/api/whatsapp/window?msisdn=${encodeURIComponent(number)}`);
    if (answer.ok && number === this.phone.number) this.window(await answer.json());
  }

  async passDay() {
    this.window(await ask("whatsapp/window", { msisdn: this.phone.number }));
  }

  window({ open_until: until }) {
    const open = until > Date.now();
    const state = find("#wa-window");
    state.classList.toggle("open", open);
    state.textContent = open ? `Open until ${time(until)} tomorrow` : "Templates only";
    state.title = open ? "The operator may write freely for 24 hours after the customer’s last message" : "More than 24 hours since the customer wrote: only approved templates get through";
    find("#wa-day").hidden = !open;
  }
}
