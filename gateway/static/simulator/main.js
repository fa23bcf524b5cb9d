/* The front page: which device is shown, light or dark, how the billing system behaves, and who signs in at the desk. */

import { Call } from "./call.js";
import { Mail } from "./mail.js";
import { Phone } from "./phone.js";
import { Raw } from "./raw.js";
import { Telegram } from "./telegram.js";
import { Texts } from "./texts.js";
import { Dialler } from "./ussd.js";
import { WhatsApp } from "./whatsapp.js";
import { all, find, rove } from "./wire.js";

const raw = new Raw(find("#drawer"), all("[data-raw]"));
const phone = new Phone(raw);
raw.ofPhone = () => phone.number;
const texts = new Texts(phone);
const call = find("#call") && new Call(phone);
const dialler = new Dialler(phone, call);
const whatsapp = find("#whatsapp") && new WhatsApp(phone);
const mail = find("#mail") && new Mail(phone);
const telegram = find("#telegram") && new Telegram(phone);

// ── Light or dark, in the frames too ───────────────────────────────────────────────────────────────────────────────

const frames = [find("#shop"), find("#desk-frame")];

function paint() {
  const theme = localStorage.getItem("theme");
  for (const page of [document, ...frames.map((frame) => frame.contentDocument)]) {
    if (!page?.documentElement) continue; // a frame that has not come yet
    if (theme) page.documentElement.dataset.theme = theme;
    else delete page.documentElement.dataset.theme;
  }
}

find("#theme").addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  localStorage.setItem("theme", dark ? "light" : "dark");
  paint();
});
for (const frame of frames) frame.addEventListener("load", paint);
paint();

// ── Tabs, where there is room for one device only ──────────────────────────────────────────────────────────────────

const markTab = rove(find(".tabs [role=tablist]"), showPlace);

function showPlace(tab) {
  for (const other of all("[data-tab]")) other.setAttribute("aria-selected", String(other === tab));
  find(".stage").dataset.shown = tab.dataset.tab;
  markTab();
}

for (const tab of all("[data-tab]")) tab.addEventListener("click", () => showPlace(tab));

// ── The billing system ─────────────────────────────────────────────────────────────────────────────────────────────

const setMode = (button) => askMode({ method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ mode: button.dataset.bss }) });
const markMode = rove(find(".bss"), setMode);

function showMode(mode) {
  for (const button of all("[data-bss]")) button.setAttribute("aria-checked", String(button.dataset.bss === mode));
  markMode();
}

async function askMode(options) {
  const answer = await fetch("/simulator/api/bss", options);
  if (answer.ok) showMode((await answer.json()).mode);
}

for (const button of all("[data-bss]")) button.addEventListener("click", () => setMode(button));
askMode();

// ── Things to try ──────────────────────────────────────────────────────────────────────────────────────────────────

for (const tip of all("[data-sms]")) tip.addEventListener("click", () => texts.write(tip.dataset.sms));
for (const tip of all("[data-dial]")) tip.addEventListener("click", () => dialler.dial(tip.dataset.dial));
for (const tip of all("[data-whatsapp]")) tip.addEventListener("click", () => whatsapp.write(tip.dataset.whatsapp));
for (const tip of all("[data-mail]")) tip.addEventListener("click", () => mail.write(tip.dataset.mail, ""));
for (const tip of all("[data-telegram]")) tip.addEventListener("click", () => telegram.write(tip.dataset.telegram));
find("#open-chat").addEventListener("click", () => {
  find("#shop").contentDocument?.querySelector("parley-chat")?.shadowRoot.querySelector(".launcher").click();
});
for (const tip of all("[data-login]")) {
  tip.addEventListener("click", () => {
    const desk = find("#desk-frame").contentDocument;
    const login = desk?.querySelector("input[name=login]");
    const password = desk?.querySelector("input[name=password]");
    if (!login || !password) return;
    login.value = tip.dataset.login;
    password.value = tip.dataset.password;
    password.form.requestSubmit();
  });
}

// ── What happens on the wire ───────────────────────────────────────────────────────────────────────────────────────

window.addEventListener("message", (event) => {
  if (event.origin === location.origin && event.source === find("#shop").contentWindow) raw.add(event.data);
});

const stream = new EventSource("/simulator/api/stream");
stream.addEventListener("open", () => {
  phone.load();
  raw.load();
  askMode();
});
stream.addEventListener("sms", (event) => texts.arrived(JSON.parse(event.data)));
stream.addEventListener("whatsapp", (event) => whatsapp?.arrived(JSON.parse(event.data)));
stream.addEventListener("mail", (event) => mail?.arrived(JSON.parse(event.data)));
stream.addEventListener("telegram", (event) => telegram?.arrived(JSON.parse(event.data)));
stream.addEventListener("session_ended", (event) => dialler.session.ended(JSON.parse(event.data).session));
stream.addEventListener("rings", (event) => call?.rings(JSON.parse(event.data)));
stream.addEventListener("moved", (event) => call?.moved(JSON.parse(event.data)));
stream.addEventListener("exchange", (event) => raw.add(JSON.parse(event.data)));
