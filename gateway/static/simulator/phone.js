/* One phone with two apps: text messages, and a dialler with the network's USSD window above it. Text is only ever a text node. */

const find = (selector) => document.querySelector(selector);
const time = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
const TROUBLE = "The network does not answer. Try again in a moment.";

async function post(path, body) {
  const answer = await fetch(`/simulator/api/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

export class Phone {
  constructor(raw) {
    this.raw = raw;
    this.shown = new Set();
    this.unread = 0;
    this.session = new Session(this);
    this.chooser = find("#msisdn");
    this.number = this.chooser.value;
    this.chooser.addEventListener("change", () => this.choose());
    find("#number-dialog").addEventListener("close", () => this.chosen());
    find("#composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.text(find("#text").value);
    });
    find("#dial-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.dial(find("#dialled").value || find("#dialled").placeholder);
    });
    for (const key of document.querySelectorAll("[data-key]")) key.addEventListener("click", () => this.press(key.dataset.key));
    find("#erase").addEventListener("click", () => (find("#dialled").value = find("#dialled").value.slice(0, -1)));
    for (const tab of document.querySelectorAll("[data-app]")) tab.addEventListener("click", () => this.open(tab.dataset.app));
    find("#banner").addEventListener("click", () => this.open("messages"));
    this.tick();
  }

  tick() {
    find("#clock").textContent = time(Date.now());
    setTimeout(() => this.tick(), 60000 - (Date.now() % 60000));
  }

  // Whose phone it is

  choose() {
    if (this.chooser.value) this.use(this.chooser.value);
    else find("#number-dialog").showModal();
  }

  chosen() {
    const wanted = find("#number-input").value.replaceAll(" ", "");
    if (find("#number-dialog").returnValue !== "use" || !wanted) {
      this.chooser.value = this.number;
      return;
    }
    let option = [...this.chooser.options].find((known) => known.value === wanted);
    if (!option) {
      option = new Option(wanted, wanted);
      this.chooser.add(option, this.chooser.options.length - 1);
    }
    option.selected = true;
    this.use(wanted);
  }

  use(number) {
    this.session.cancel();
    this.number = number;
    find("#texts").replaceChildren();
    this.count(0);
    find("#banner").hidden = true;
    this.load();
    this.raw.render();
  }

  // Text messages

  async load() {
    const number = this.number;
    const answer = await fetch(`/simulator/api/phone?msisdn=${encodeURIComponent(number)}`);
    if (!answer.ok || number !== this.number) return;
    const { thread } = await answer.json();
    this.shown.clear();
    find("#texts").replaceChildren();
    for (const message of thread) this.show(message);
    find("#nothing").hidden = thread.length > 0;
  }

  arrived(message) {
    if (message.msisdn !== this.number || this.shown.has(message.sid)) return;
    this.show(message);
    find("#nothing").hidden = true;
    if (!message.sent && find("#messages").hidden) {
      this.count(this.unread + 1);
      find("#banner span").textContent = message.text;
      find("#banner").hidden = false;
      clearTimeout(this.bannerTimer);
      this.bannerTimer = setTimeout(() => (find("#banner").hidden = true), 8000);
    }
  }

  show(message) {
    this.shown.add(message.sid);
    const bubble = document.createElement("p");
    bubble.className = message.sent ? "bubble customer mine" : "bubble";
    bubble.dir = "auto";
    bubble.textContent = message.text;
    const at = document.createElement("time");
    at.textContent = time(message.at);
    const item = document.createElement("li");
    item.className = message.sent ? "sent" : "got";
    item.append(bubble, at);
    find("#texts").append(item);
    find("#texts").scrollTop = find("#texts").scrollHeight;
    return item;
  }

  async text(text) {
    if (!text.trim()) return;
    this.open("messages");
    find("#text").value = "";
    try {
      const { status } = await post("sms", { msisdn: this.number, text });
      if (status !== 200) this.refused(`Not delivered (status ${status || "none"})`);
    } catch {
      find("#text").value = text;
      this.refused(TROUBLE);
    }
  }

  refused(reason) {
    const item = document.createElement("li");
    item.className = "sent refused";
    const why = document.createElement("time");
    why.textContent = reason;
    item.append(why);
    find("#texts").append(item);
    find("#texts").scrollTop = find("#texts").scrollHeight;
  }

  count(unread) {
    this.unread = unread;
    find("#new-texts").hidden = !unread;
    find("#new-texts").textContent = unread;
  }

  open(app) {
    for (const tab of document.querySelectorAll("[data-app]")) {
      tab.setAttribute("aria-selected", String(tab.dataset.app === app));
      find(`#${tab.dataset.app}`).hidden = tab.dataset.app !== app;
    }
    if (app === "messages") {
      this.count(0);
      find("#banner").hidden = true;
      find("#texts").scrollTop = find("#texts").scrollHeight;
    }
  }

  // Dialling

  press(key) {
    find("#dialled").value += key;
  }

  dial(code) {
    this.open("dialler");
    find("#dialled").value = code;
    this.session.start(code);
  }

  sessionEnded(session) {
    this.session.ended(session);
  }
}

/* The network's window: it covers the phone while a session runs, shows how long it may last, and takes the answers. */
class Session {
  constructor(phone) {
    this.phone = phone;
    this.id = "";
    find("#session-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.goesOn) this.answer(find("#session-input").value);
      else this.close();
    });
    find("#session-cancel").addEventListener("click", () => this.cancel());
    find("#session").addEventListener("keydown", (event) => event.key === "Escape" && this.cancel());
  }

  async start(code) {
    find("#session").hidden = false;
    this.wait("USSD code running");
    await this.ask("ussd", { msisdn: this.phone.number, code });
  }

  async answer(text) {
    if (this.busy) return;
    this.wait(find("#session-text").textContent);
    await this.ask(`ussd/${this.id}`, { text });
  }

  async ask(path, body) {
    const asked = (this.asked = {});
    try {
      const screen = await post(path, body);
      if (this.asked === asked) this.show(screen);
    } catch {
      if (this.asked === asked) this.show({ session: "", text: TROUBLE, goes_on: false, ends_at: 0 });
    }
  }

  wait(text) {
    this.busy = true;
    find("#session-text").textContent = text;
    find("#session-text").classList.add("running");
    find("#session-input").disabled = true;
    find("#session-send").disabled = true;
  }

  show(screen) {
    this.busy = false;
    this.id = screen.session;
    this.goesOn = screen.goes_on;
    this.endsAt = screen.ends_at;
    this.length = this.length || Math.max(1, screen.ends_at - Date.now());
    find("#session-text").textContent = screen.text;
    find("#session-text").classList.remove("running");
    find("#session-input").value = "";
    find("#session-input").disabled = false;
    find("#session-input").hidden = !screen.goes_on;
    find("#session-cancel").hidden = !screen.goes_on;
    find("#session-send").disabled = false;
    find("#session-send").textContent = screen.goes_on ? "Send" : "OK";
    (screen.goes_on ? find("#session-input") : find("#session-send")).focus();
    this.tick();
  }

  tick() {
    clearTimeout(this.timer);
    const left = Math.max(0, this.endsAt - Date.now());
    const seconds = Math.ceil(left / 1000);
    find("#session-time .left").textContent = this.goesOn ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left` : "ended";
    find(".session-bar i").style.transform = `scaleX(${this.goesOn ? left / this.length : 0})`;
    find(".session-bar").classList.toggle("short", left < 30000);
    if (this.goesOn) this.timer = setTimeout(() => this.tick(), 250);
  }

  ended(session) {
    if (session !== this.id || !this.goesOn) return;
    this.asked = null;
    this.show({ session: "", text: "The session has timed out.", goes_on: false, ends_at: 0 });
  }

  cancel() {
    if (this.goesOn && this.id) fetch(`/simulator/api/ussd/${this.id}`, { method: "DELETE" }).catch(() => this.phone.refused(TROUBLE));
    this.close();
  }

  close() {
    clearTimeout(this.timer);
    this.asked = null;
    this.id = "";
    this.goesOn = false;
    this.busy = false;
    this.length = 0;
    find("#session").hidden = true;
  }
}
