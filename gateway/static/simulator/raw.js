/* The drawer that shows requests and answers as they went over the wire. */

import { node } from "./wire.js";

const KEPT = 300;
const DEVICES = { phone: "the phone", chat: "the web chat" };
const TITLES = {
  webhook: "SMS to the webhook",
  api: "SMS through the API",
  callback: "SMS status callback",
  ussd: "USSD input",
  "ussd-end": "USSD session end",
  voice: "Call to the webhook",
  "voice-status": "Call status callback",
  "mail-in": "Mail to the gateway",
  "mail-out": "Mail from the gateway",
  "whatsapp-webhook": "WhatsApp to the webhook",
  "whatsapp-api": "WhatsApp through the API",
  "whatsapp-callback": "WhatsApp status callback",
  "telegram-update": "Telegram update to the webhook",
  "telegram-api": "Telegram through the Bot API",
};

export class Raw {
  constructor(drawer, buttons) {
    this.drawer = drawer;
    this.buttons = buttons;
    this.device = "phone";
    this.exchanges = [];
    this.list = drawer.querySelector("#exchanges");
    this.detail = drawer.querySelector("#exchange");
    this.ofPhone = () => "";
    for (const button of buttons) button.addEventListener("click", () => this.toggle(button.dataset.raw));
    drawer.querySelector("#drawer-close").addEventListener("click", () => this.close());
    drawer.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  async load() {
    const answer = await fetch("/simulator/api/exchanges");
    if (!answer.ok) return;
    const kept = await answer.json();
    this.exchanges = [...this.exchanges.filter((exchange) => exchange.what === "chat"), ...kept].sort((a, b) => a.at - b.at);
    this.render();
  }

  add(exchange) {
    this.exchanges.push(exchange);
    if (this.exchanges.length > KEPT) this.exchanges.shift();
    if (this.drawer.hidden || !this.concerns(exchange)) return;
    this.list.append(this.row(exchange));
    this.list.scrollTop = this.list.scrollHeight;
    this.show(exchange, this.list.lastElementChild.firstElementChild);
  }

  concerns(exchange) {
    return this.device === "chat" ? exchange.what === "chat" : exchange.what !== "chat" && exchange.phone === this.ofPhone();
  }

  toggle(device) {
    if (!this.drawer.hidden && this.device === device) this.close();
    else this.open(device);
  }

  open(device) {
    this.device = device;
    this.drawer.hidden = false;
    this.mark();
    this.render();
  }

  close() {
    const inside = this.drawer.contains(document.activeElement);
    this.drawer.hidden = true;
    this.mark();
    if (inside) this.buttons.find((button) => button.dataset.raw === this.device).focus();
  }

  mark() {
    for (const button of this.buttons) {
      const shown = !this.drawer.hidden && button.dataset.raw === this.device;
      button.setAttribute("aria-pressed", String(shown));
      button.textContent = shown ? "Hide raw" : "Show raw";
    }
    this.drawer.dataset.device = this.device;
    this.drawer.querySelector("#drawer-device").textContent = DEVICES[this.device];
  }

  render() {
    if (this.drawer.hidden) return;
    const shown = this.exchanges.filter((exchange) => this.concerns(exchange));
    this.list.replaceChildren(...shown.map((exchange) => this.row(exchange)));
    this.list.scrollTop = this.list.scrollHeight;
    if (shown.length) this.show(shown.at(-1), this.list.lastElementChild.firstElementChild);
    else this.detail.replaceChildren(node("p", "hint", "Nothing has gone over the wire yet."));
  }

  row(exchange) {
    const button = node("button", "");
    button.type = "button";
    button.append(
      node("time", "", new Date(exchange.at).toLocaleTimeString([], { hour12: false })),
      node("span", "", TITLES[exchange.what] || chatTitle(exchange)),
      node("b", "", status(exchange)),
    );
    button.addEventListener("click", () => this.show(exchange, button));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }

  show(exchange, button) {
    for (const other of this.list.querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
    const sides = [];
    if (exchange.request) sides.push(side(exchange.what === "chat" ? "To the gateway" : "Request", exchange.request));
    if (exchange.answer) sides.push(side(exchange.what === "chat" ? "From the gateway" : "Answer", exchange.answer));
    this.detail.replaceChildren(...sides);
  }
}

function chatTitle(exchange) {
  const text = exchange.request || exchange.answer;
  const type = /^\{"type": ?"(\w+)"/.exec(text);
  return `${exchange.request ? "→" : "←"} ${type ? type[1] : text.split("\n")[0]}`;
}

function status(exchange) {
  return exchange.what === "chat" && !exchange.answer.startsWith("HTTP/") ? "" : /^(?:HTTP\/1\.1 )?(\d{3})/.exec(exchange.answer)?.[1] || "–";
}

/* First line, header names and body told apart, all of it as text. */
function side(title, text) {
  const figure = document.createElement("figure");
  const pre = document.createElement("pre");
  const [head, ...body] = text.split("\n\n");
  head.split("\n").forEach((line, index) => {
    const header = index > 0 && /^([\w-]+):(.*)$/.exec(line);
    if (header) pre.append(node("span", "name", `${header[1]}:`), `${header[2]}\n`);
    else pre.append(node("span", index === 0 && !line.startsWith("{") ? "line" : "", `${line}\n`));
  });
  if (body.length) pre.append(`\n${body.join("\n\n")}`);
  figure.append(node("figcaption", "eyebrow", title), pre);
  return figure;
}
