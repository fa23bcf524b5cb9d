/* The dialler, and the network's USSD window: it covers the phone while a session runs, shows how long it may last, and takes the answers. */

import { TROUBLE, all, ask, find } from "./wire.js";

/* Codes go to the network, numbers to `call`. */
export class Dialler {
  constructor(phone, call) {
    this.phone = phone;
    this.call = call;
    this.session = new Session(phone);
    find("#dial-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.dial(find("#dialled").value || find("#dialled").placeholder);
    });
    for (const key of all("[data-key]")) key.addEventListener("click", () => (find("#dialled").value += key.dataset.key));
    find("#erase").addEventListener("click", () => (find("#dialled").value = find("#dialled").value.slice(0, -1)));
    phone.install("dialler", this);
  }

  dial(code) {
    this.phone.open("dialler");
    find("#dialled").value = code;
    if (this.call && !/[*#]/.test(code)) this.call.start(code);
    else this.session.start(code);
  }

  load() {
    this.call?.load();
  }

  leave() {
    this.session.cancel();
    this.call?.leave();
  }
}

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
    this.cover(true);
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
      const screen = await ask(path, body);
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
    find("#session .session-bar i").style.transform = `scaleX(${this.goesOn ? left / this.length : 0})`;
    find("#session .session-bar").classList.toggle("short", left < 30000);
    if (this.goesOn) this.timer = setTimeout(() => this.tick(), 250);
  }

  ended(session) {
    if (session !== this.id || !this.goesOn) return;
    this.asked = null;
    this.show({ session: "", text: "The session has timed out.", goes_on: false, ends_at: 0 });
  }

  cancel() {
    if (this.goesOn && this.id) fetch(`/simulator/api/ussd/${this.id}`, { method: "DELETE" }).catch((error) => console.warn("the network is away", error));
    this.close();
  }

  close() {
    clearTimeout(this.timer);
    this.asked = null;
    this.id = "";
    this.goesOn = false;
    this.busy = false;
    this.length = 0;
    this.cover(false);
  }

  /* While a session is on the screen nothing behind it can be reached, by keyboard either. */
  cover(covered) {
    const back = !covered && find("#session").contains(document.activeElement);
    find("#session").hidden = !covered;
    for (const behind of all(".status-bar, .app, .apps")) behind.inert = covered;
    if (back) find("#dialled").focus();
  }
}
