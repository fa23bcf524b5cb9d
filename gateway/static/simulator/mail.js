/* The mailbox: a list, a mail, and a form to write in. Answers go as people's programs send them, also those that behave badly. */

import { TROUBLE, all, ask, find, moment, node, time } from "./wire.js";

const FROM = { usual: "Reply", lost: "Reply without references", stranger: "Reply from stranger@elsewhere.example" };

export class Mail {
  constructor(phone) {
    this.phone = phone;
    this.box = find("#mail");
    this.address = this.box.dataset.address;
    this.mails = new Map();
    this.unread = new Set();
    find("#mail-back").addEventListener("click", () => this.view("list"));
    find("#mail-new").addEventListener("click", () => this.compose());
    find("#mail-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    for (const button of all("[data-answer]")) button.addEventListener("click", () => this.compose(button.dataset.answer));
    for (const button of all("[data-machine]")) button.addEventListener("click", () => this.answer(button.dataset.machine));
    phone.install("mail", this);
  }

  load(memory) {
    this.clear();
    for (const mail of memory.mail) this.mails.set(mail.id, mail);
    this.list();
  }

  clear() {
    this.mails.clear();
    this.unread = new Set();
    this.view("list");
    this.list();
  }

  arrived(mail) {
    if (mail.msisdn !== this.phone.number) return;
    this.mails.set(mail.id, mail);
    if (!mail.sent) {
      this.unread.add(mail.id);
      this.phone.announce("mail", "Mail", mail.subject);
    }
    this.list();
  }

  /* Show one of `list`, `letter` and `form`; the others are hidden by the style sheet. */
  view(name) {
    this.box.dataset.view = name;
    find("#mail-problem").hidden = true;
  }

  list() {
    const newest = [...this.mails.values()].reverse();
    find("#mails").replaceChildren(...newest.map((mail) => this.row(mail)));
    find("#mail-nothing").hidden = newest.length > 0;
  }

  row(mail) {
    const button = node("button", this.unread.has(mail.id) ? "unread" : "");
    button.type = "button";
    button.append(
      node("b", "", mail.sent ? `To ${mail.to.replace(/\+[^@]*/, "")}` : name(mail.from)),
      node("time", "", time(mail.at)),
      node("span", "", mail.subject),
      node("small", "", mail.text.split("\n")[0]),
    );
    button.addEventListener("click", () => this.open(mail));
    const item = node("li");
    item.append(button);
    return item;
  }

  open(mail) {
    this.read = mail;
    this.unread.delete(mail.id);
    this.list();
    find("#letter-subject").textContent = mail.subject;
    find("#letter-from").textContent = `From ${mail.from}`;
    find("#letter-to").textContent = `To ${mail.to}`;
    find("#letter-at").textContent = moment(mail.at);
    find("#letter-text").textContent = mail.text;
    find("#letter-attachments").textContent = mail.attachments.length ? `Attached: ${mail.attachments.join(", ")}` : "";
    find("#letter-acts").hidden = mail.sent;
    find("#letter details").open = false;
    this.view("letter");
    find("#letter").focus();
  }

  compose(how = "") {
    this.how = how;
    find("#mail-to").textContent = how ? `${FROM[how]}: ${this.read.subject}` : `To ${this.address}`;
    find("#mail-subject").hidden = find("#mail-picture-label").hidden = Boolean(how);
    find("#mail-subject").value = find("#mail-text").value = "";
    find("#mail-picture").checked = false;
    this.view("form");
    (how ? find("#mail-text") : find("#mail-subject")).focus();
  }

  async send() {
    const text = find("#mail-text").value;
    if (this.how) await this.answer(this.how, text);
    else if (text.trim() || find("#mail-subject").value.trim()) await this.write(find("#mail-subject").value, text, find("#mail-picture").checked);
  }

  async write(subject, text, picture = false) {
    this.phone.open("mail");
    await this.hand("mail", { subject, text, picture });
  }

  async answer(how, text = "") {
    await this.hand(`mail/${encodeURIComponent(this.read.id)}`, { how, text });
  }

  /* Hand a mail over; what was refused stays in the form, with the reason. */
  async hand(path, body) {
    try {
      const { status } = await ask(path, { msisdn: this.phone.number, ...body });
      if (status === 250) {
        this.view("list");
        return;
      }
      this.problem(status ? `The server refused it with status ${status}.` : TROUBLE);
    } catch {
      this.problem(TROUBLE);
    }
  }

  problem(text) {
    if (this.box.dataset.view !== "form") this.view("form");
    find("#mail-problem").textContent = text;
    find("#mail-problem").hidden = false;
  }
}

function name(from) {
  return from.replace(/\s*<.*>$/, "").replaceAll('"', "");
}
