/* The phone itself: whose it is, which app is open, what is new in the others. The apps are modules of their own. */

import { all, find, rove, time } from "./wire.js";

export class Phone {
  constructor(raw) {
    this.raw = raw;
    this.apps = {};
    this.shown = "messages";
    this.chooser = find("#msisdn");
    this.number = this.chooser.value;
    this.chooser.addEventListener("change", () => this.choose());
    find("#number-dialog").addEventListener("close", () => this.chosen());
    find("#number-cancel").addEventListener("click", () => find("#number-dialog").close());
    for (const tab of all("[data-app]")) tab.addEventListener("click", () => this.open(tab.dataset.app));
    this.mark = rove(find(".apps"), (tab) => this.open(tab.dataset.app));
    find("#banner").addEventListener("click", () => this.open(this.announced));
    this.open("messages");
    this.tick();
  }

  /* Put an app on the phone. It may have `load(memory)`, `clear()`, `leave()` when the phone changes hands, and `opened()`. */
  install(name, app) {
    this.apps[name] = app;
  }

  tick() {
    find("#clock").textContent = time(Date.now());
    setTimeout(() => this.tick(), 60000 - (Date.now() % 60000));
  }

  // Whose phone it is

  choose() {
    if (this.chooser.value) {
      this.use(this.chooser.value);
      return;
    }
    find("#number-input").value = find("#number-dialog").returnValue = ""; // Esc leaves what was chosen the last time
    find("#number-dialog").showModal();
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
    for (const app of Object.values(this.apps)) app.leave?.();
    this.number = number;
    for (const [name, app] of Object.entries(this.apps)) {
      app.clear?.();
      this.count(name, 0);
    }
    find("#banner").hidden = true;
    this.load();
    this.raw.render();
  }

  async load() {
    const number = this.number;
    const answer = await fetch(`/simulator/api/phone?msisdn=${encodeURIComponent(number)}`);
    if (!answer.ok || number !== this.number) return;
    const memory = await answer.json();
    for (const app of Object.values(this.apps)) app.load?.(memory);
  }

  // Apps

  open(name) {
    this.shown = name;
    for (const tab of all("[data-app]")) {
      const open = tab.dataset.app === name;
      tab.setAttribute("aria-selected", String(open));
      find(`#${tab.dataset.app}`).hidden = !open;
    }
    this.mark();
    const tips = all("[data-tips]");
    const own = tips.some((row) => row.dataset.tips === name) ? name : "messages";
    for (const row of tips) row.hidden = row.dataset.tips !== own;
    this.count(name, 0);
    if (this.announced === name) find("#banner").hidden = true;
    this.apps[name]?.opened?.();
  }

  /* Say that something came for an app that is not open. */
  announce(name, title, text) {
    if (this.shown === name) return;
    this.count(name, Number(find(`[data-app="${name}"] [data-unread]`).textContent) + 1);
    this.announced = name;
    const banner = find("#banner");
    banner.querySelector("b").textContent = title;
    banner.querySelector("span").textContent = text;
    banner.hidden = false;
    clearTimeout(this.bannerTimer);
    this.bannerTimer = setTimeout(() => (banner.hidden = true), 8000);
  }

  count(name, unread) {
    const badge = find(`[data-app="${name}"] [data-unread]`);
    if (!badge) return;
    badge.hidden = !unread;
    badge.textContent = unread || "";
  }
}
