// The right pane: why the conversation was handed over, and who the customer is.

import { post } from "./api.js";
import { announce, boot, byId, differs, h, icon } from "./dom.js";
import { LANGUAGES, addressName, channelName, exact, moment, named, words } from "./format.js";
import { outcomeText, putThrough, reasonText } from "./words.js";

const STRENGTHS = {
  claimed: { text: "Not verified", tone: "warn" },
  network: { text: "Number from the network", tone: "info" },
  proved: { text: "Verified by code", tone: "ok" },
  checked: { text: "Document checked", tone: "ok" },
};
const ORDER = ["claimed", "network", "proved", "checked"];
const CARD = ["call", "wanted", "reason", "failed", "tried", "flow", "step", "facts", "language", "whisper"];
const LABELS = { call: "Call", whisper: "Said to who takes the call", wanted: "Wanted", reason: "Why", failed: "What failed", tried: "Tried", flow: "Dialog", step: "At step", facts: "Told", language: "Language" };

export function renderSide({ item, person }) {
  if (!differs(byId("side"), [item, person])) return;
  byId("side").replaceChildren(handover(item), identity(person), locked(item, person), facts(person), cases(person), contacts(person));
  byId("side").hidden = false;
}

function section(title, ...children) {
  return h("section", { class: "block" }, h("h3", { class: "eyebrow" }, title), ...children);
}

function pairs(rows) {
  return h("dl", { class: "facts" }, ...rows.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => [h("dt", {}, name), h("dd", { dir: "auto" }, value)]).flat());
}

function handover(item) {
  const card = item.card;
  const told = String(card.reason ?? "").startsWith("flow:") && card.flow ? ["reason"] : []; // that a dialog handed over says the line with its name
  const rows = CARD.filter((key) => card[key] !== undefined && !told.includes(key)).map((key) => [LABELS[key], shown(key, card[key])]);
  const others = Object.keys(card).filter((key) => !CARD.includes(key)).map((key) => [words(key), shown(key, card[key])]);
  const end = [["Queue", words(item.queue)], ["Since", when(item.created_at)], ["Outcome", item.disposition ? outcomeText(item.disposition) : null]];
  return section(`Handover ${item.number}`, pairs([...rows, ...others, ...end]), turns(item.turns));
}

// What was said last before the hand-over; the timeline moves on, this stays.
function turns(said) {
  if (!said.length) return null;
  const lines = said.map((one) => h("li", {}, h("span", { class: "by" }, `${words(one.author)}: `), one.text ? h("bdi", {}, one.text) : h("em", {}, "no words")));
  return h("details", { class: "turns", open: true }, h("summary", {}, "Last words before"), h("ul", { class: "plain" }, ...lines));
}

// A value of the card as text: codes as words, lists and tables a line each.
function shown(key, value) {
  if (key === "call") return capital(putThrough(value));
  if (value === null || value === "") return null;
  if (Array.isArray(value)) return value.length ? h("ul", { class: "plain" }, ...value.map((one) => h("li", { dir: "auto" }, typeof one === "object" ? compact(one) : named(one)))) : null;
  if (typeof value === "object") {
    const entries = Object.entries(value);
    return entries.length ? h("ul", { class: "plain" }, ...entries.map(([name, one]) => h("li", {}, `${words(name)}: ${typeof one === "object" ? compact(one) : one}`))) : null;
  }
  if (key === "language") return LANGUAGES[value] ?? value;
  if (key === "reason") return reasonText(value);
  if (key === "step") return stepName(value);
  return ["wanted", "failed", "flow"].includes(key) ? named(value) : String(value);
}

const when = (at) => h("time", { datetime: new Date(at).toISOString(), title: exact(at) }, moment(at));

// A step without a name of its own has one that was made from its place and kind; what it links to is no news at the desk.
const stepName = (step) => (/^\d+_link_/.test(step) ? null : named(String(step).replace(/^\d+_/, "")));

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const compact = (value) => (value && "value" in value ? String(value.value) : JSON.stringify(value));

function identity(person) {
  const best = person.addresses.reduce((top, one) => Math.max(top, ORDER.indexOf(one.strength)), 0);
  const strength = STRENGTHS[ORDER[best]];
  return section(
    person.role === "customer" ? "Customer" : "Not known as a customer",
    h("p", { class: "person" }, icon("person"), h("strong", { dir: "auto" }, person.name || "Name not known"), h("span", { class: `badge ${strength.tone}` }, strength.text)),
    pairs([["Number", person.customer_no], ["Language", LANGUAGES[person.language] ?? person.language], ["Known since", when(person.since)]]),
    h("ul", { class: "addresses" }, ...person.addresses.map(address)),
  );
}

// Codes end for somebody who types wrong ones on and on, until a person who knows better lets them have codes again.
function locked(item, person) {
  if (person.codes_locked_at === null) return "";
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const unlock = async () => {
    try {
      await post(`/desk/api/conversations/${encodeURIComponent(item.conversation)}/unlock-codes`, {});
      byId("codes-locked").remove();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  };
  const button = boot().supervises ? h("button", { class: "button small", type: "button", onclick: unlock }, "Allow codes again") : h("p", { class: "hint" }, "A supervisor can allow them again.");
  return h("section", { class: "block", id: "codes-locked" }, h("h3", { class: "eyebrow" }, "Codes locked"), h("p", {}, `Too many wrong codes, since ${moment(person.codes_locked_at)}.`), button, problem);
}

function address(one) {
  const strength = STRENGTHS[one.strength];
  const button = one.kind === "visitor" ? null : h("button", { class: "button quiet small", type: "button", "aria-label": `Copy ${one.value}`, onclick: (event) => copy(event.currentTarget, one.value) }, "Copy");
  return h("li", {}, h("span", { class: "mono value" }, addressName(one.kind, one.value)), button, h("span", { class: "hint" }, one.opted_out ? "Opted out of messages" : strength.text), one.claimed_name ? h("span", { class: "hint claimed" }, "Calls themself ", h("bdi", {}, one.claimed_name), ", which proves nothing") : null);
}

async function copy(button, text) {
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  button.textContent = done ? "Copied" : "Not copied";
  announce(done ? `${text} is copied` : `${text} could not be copied`);
  setTimeout(() => (button.textContent = "Copy"), 2_000);
}

function facts(person) {
  if (!person.facts.length) return section("Already told us", h("p", { class: "hint" }, "Nothing yet."));
  return section("Already told us", pairs(person.facts.map((fact) => [words(fact.name), `${typeof fact.value === "object" ? JSON.stringify(fact.value) : fact.value}${fact.verified ? " (verified)" : ""}`])));
}

function cases(person) {
  if (!person.cases.length) return section("Cases", h("p", { class: "hint" }, "None."));
  const lines = person.cases.map((one) => h("li", {}, h("strong", {}, `${one.number} `), words(one.kind), h("span", { class: "badge" }, words(one.status)), h("p", { class: "hint", dir: "auto" }, one.description)));
  return section("Cases", h("ul", { class: "lines" }, ...lines));
}

function contacts(person) {
  const lines = person.interactions.map((one) =>
    h(
      "li",
      {},
      h("span", { class: "mark" }, icon(one.media_type, channelName(one.media_type))),
      h("span", {}, words(one.reason ?? "contact"), " ", h("span", { class: "hint" }, when(one.opened_at))),
      h("span", { class: `badge ${one.status === "open" ? "accent" : ""}` }, one.status === "open" ? "Open" : one.disposition ? outcomeText(one.disposition) : words(one.close_reason)),
    ),
  );
  return section("Latest contacts", h("ul", { class: "lines contacts" }, ...lines));
}
