/* A thread of messages with a line to write in: the text messages, and what WhatsApp builds upon. */

import { TROUBLE, ask, find, node, time } from "./wire.js";

export class Texts {
  constructor(phone, { app = "messages", kind = "sms", list = "#texts", nothing = "#nothing", form = "#composer", input = "#text" } = {}) {
    Object.assign(this, { phone, app, kind, list: find(list), nothing: find(nothing), input: find(input) });
    this.shown = new Map();
    find(form).addEventListener("submit", (event) => {
      event.preventDefault();
      this.write(this.input.value);
    });
    find(`${form} [data-picture]`).addEventListener("click", () => this.send({ picture: true }));
    phone.install(app, this);
  }

  load(memory) {
    this.clear();
    for (const message of memory[this.kind]) this.show(message);
    this.nothing.hidden = memory[this.kind].length > 0;
  }

  clear() {
    this.shown.clear();
    this.list.replaceChildren();
  }

  opened() {
    this.list.scrollTop = this.list.scrollHeight;
  }

  arrived(message) {
    if (message.msisdn !== this.phone.number) return;
    const known = this.shown.has(message.id);
    this.show(message);
    this.nothing.hidden = true;
    if (!known && !message.sent) this.phone.announce(this.app, this.title(), message.text || "A picture");
  }

  title() {
    return find(`#${this.app} .who`).textContent;
  }

  show(message) {
    const item = this.item(message);
    const earlier = this.shown.get(message.id);
    this.shown.set(message.id, item);
    if (earlier) {
      earlier.replaceWith(item);
      return;
    }
    this.list.append(item);
    this.list.scrollTop = this.list.scrollHeight;
  }

  item(message) {
    const item = node("li", message.sent ? "sent" : "got");
    const bubble = node("p", message.sent ? "bubble customer mine" : "bubble", message.text);
    bubble.dir = "auto";
    for (const url of message.media ?? []) bubble.append(picture(url));
    for (const file of message.files ?? []) bubble.append(attached(file));
    item.append(bubble, node("time", "", time(message.at)));
    return item;
  }

  async write(text) {
    if (!text.trim()) return;
    this.input.value = "";
    if (!(await this.send({ text }))) this.input.value = text;
  }

  /* Send something from this phone; false where no network took it. */
  async send(what) {
    this.phone.open(this.app);
    try {
      const { status } = await ask(this.kind, { msisdn: this.phone.number, ...what });
      if (status !== 200) this.refused(`Not delivered (status ${status || "none"})`);
      return true;
    } catch {
      this.refused(TROUBLE);
      return false;
    }
  }

  refused(reason) {
    const item = node("li", "sent refused");
    item.append(node("time", "", reason));
    this.list.append(item);
    this.list.scrollTop = this.list.scrollHeight;
  }
}

/* What the operator sent along, as it reached this phone: a picture is shown, anything else can be opened. */
function attached({ address, shown }) {
  if (shown === "image") {
    const image = node("img", "attachment got-file");
    image.src = address;
    image.alt = "Picture from the operator";
    return image;
  }
  const link = node("a", "attachment got-file", "Open the file");
  link.href = address;
  link.target = "_blank";
  return link;
}

/* A picture that this machine has is shown; any other is named only, since the page fetches nothing from elsewhere. */
function picture(url) {
  if (!url.startsWith("/static/")) return node("span", "attachment", "Attachment");
  const image = node("img", "attachment");
  image.src = url;
  image.alt = "Picture";
  image.width = 192;
  image.height = 128;
  return image;
}
