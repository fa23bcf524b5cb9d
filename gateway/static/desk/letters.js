// The page of dead letters: list, filter, look, replay and discard, one or several at once; correct one.

import { get, post } from "./api.js";
import { boot, byId, h } from "./dom.js";
import { channelName, exact, moment, words } from "./format.js";
import { pausedText } from "./delivery.js";

const KINDS = { unsent: "Not sent", unreadable: "Not readable", kept: "Kept, not readable", report: "Report without message" };
const OUTCOMES = { queued: "sent again", marked: "read again", joined: "joined to its message", discarded: "discarded" };
const AGAIN_MS = 1500;
const { channels } = boot();
const chosen = new Set();
let letters = [];
let total = 0;

async function show() {
  const [made, delivery] = await Promise.all([get("/desk/api/dead-letters"), get("/desk/api/delivery")]);
  ({ letters, total } = made);
  byId("paused").replaceChildren(...delivery.paused.map((one) => h("p", { class: "paused" }, pausedText(one))));
  options("channel", letters.map((one) => one.channel_id), (id) => id);
  options("code", letters.map((one) => one.code), words);
  render();
}

function options(id, values, name) {
  const select = byId(id);
  const kept = select.value;
  const known = [...new Set(values)].sort();
  select.replaceChildren(h("option", { value: "" }, "All"), ...known.map((value) => h("option", { value, selected: value === kept }, name(value))));
}

const shown = () => letters.filter((one) => ["kind", "channel", "code"].every((id) => !byId(id).value || byId(id).value === (id === "channel" ? one.channel_id : one[id])));

function render() {
  const listed = shown();
  for (const id of chosen) if (!listed.some((one) => one.id === id)) chosen.delete(id);
  byId("listing").hidden = letters.length === 0;
  byId("nothing").hidden = letters.length > 0;
  byId("letters").replaceChildren(...listed.map(row));
  byId("more").hidden = total <= letters.length;
  byId("more").textContent = `The newest ${letters.length} of ${total} are listed.`;
  renderChosen();
}

function renderChosen() {
  const listed = shown();
  const count = chosen.size;
  byId("picked").textContent = count ? `${count} of ${listed.length} chosen` : `Choose all ${listed.length}`;
  byId("all").checked = count > 0 && count === listed.length;
  byId("all").indeterminate = count > 0 && count < listed.length;
  byId("discard").disabled = count === 0;
  byId("replay").disabled = count === 0 || !letters.some((one) => chosen.has(one.id) && one.replayable);
}

function row(letter) {
  const name = `${KINDS[letter.kind]}: ${words(letter.code)}`;
  const pick = h("input", { type: "checkbox", "aria-label": `Choose ${name}`, checked: chosen.has(letter.id) });
  pick.addEventListener("change", () => {
    if (pick.checked) chosen.add(letter.id);
    else chosen.delete(letter.id);
    renderChosen();
  });
  const family = channels[letter.channel_id];
  const facts = [
    family ? `${letter.channel_id} (${channelName(family)})` : `${letter.channel_id}, which is not configured`,
    letter.kind === "unsent" ? `${letter.attempts} ${letter.attempts === 1 ? "attempt" : "attempts"}` : null,
    letter.first_at === letter.last_at ? moment(letter.last_at) : `${moment(letter.first_at)} to ${moment(letter.last_at)}`,
  ];
  const what = { unsent: "Recipient and text", report: "Id at the provider", kept: "Sender and recipients" }[letter.kind] ?? "What came";
  return h(
    "li",
    { "data-letter": letter.id },
    pick,
    h(
      "div",
      {},
      h("h2", {}, words(letter.code), h("span", { class: "badge" }, KINDS[letter.kind]), [letter.code, "unreadable"].includes(letter.state) ? null : h("span", { class: "badge" }, words(letter.state)), letter.replayable ? null : h("span", { class: "badge" }, "Cannot be replayed")),
      h("p", { class: "facts", title: exact(letter.last_at) }, facts.filter(Boolean).join(" · ")),
      h("details", {}, h("summary", {}, what), h("pre", { dir: "auto", tabindex: "0" }, [letter.who, letter.content].filter(Boolean).join("\n") || "Nothing")),
      letter.editable ? h("button", { class: "button small", type: "button", onclick: () => askCorrection(letter), "aria-label": `Correct ${name}` }, "Correct") : null,
    ),
  );
}

async function act(path, body) {
  tell("");
  try {
    const { outcomes } = await post(path, { ids: [...chosen], ...body });
    const failed = outcomes.filter((one) => !OUTCOMES[one.outcome]);
    const done = outcomes.filter((one) => OUTCOMES[one.outcome]);
    if (done.length) tell(`${done.length} ${done.length === 1 ? "is" : "are"} ${OUTCOMES[done[0].outcome]}.`);
    if (failed.length) tell(`${failed.length} not: ${failed[0].text}`, true);
    chosen.clear();
    if (done.some((one) => one.outcome === "marked")) setTimeout(refresh, AGAIN_MS);
  } catch (error) {
    tell(error.message, true);
  }
  await refresh();
}

const refresh = () => show().catch((error) => tell(error.message, true));

function tell(text, wrong = false) {
  const line = byId(wrong ? "problem" : "done");
  line.textContent = text;
  line.hidden = !text;
  if (!text) byId("problem").hidden = true;
}

function askReason() {
  const dialog = byId("why");
  const problem = byId("why-problem");
  byId("why-title").textContent = `Discard ${chosen.size} dead ${chosen.size === 1 ? "letter" : "letters"}`;
  byId("reason").value = "";
  problem.hidden = true;
  dialog.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    const reason = byId("reason").value.trim();
    problem.textContent = "Say why, for those who look later.";
    problem.hidden = Boolean(reason);
    if (!reason) return;
    dialog.close();
    act("/desk/api/dead-letters/discard", { reason });
  };
  dialog.showModal();
}

function askCorrection(letter) {
  const dialog = byId("edit");
  const problem = byId("edit-problem");
  byId("edit-address").value = letter.who;
  byId("edit-text").value = letter.content;
  problem.hidden = true;
  dialog.querySelector("form").onsubmit = async (event) => {
    event.preventDefault();
    const [address, text] = [byId("edit-address").value.trim(), byId("edit-text").value];
    const changes = { ...(address === letter.who ? {} : { address }), ...(text === letter.content ? {} : { text }) };
    try {
      await post("/desk/api/dead-letters/edit", { id: letter.id, ...changes });
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      return;
    }
    dialog.close();
    tell("It is corrected and sent.");
    refresh();
  };
  dialog.showModal();
}

for (const id of ["kind", "channel", "code"]) byId(id).addEventListener("change", render);
byId("all").addEventListener("change", (event) => {
  chosen.clear();
  if (event.target.checked) for (const one of shown()) chosen.add(one.id);
  render();
});
byId("replay").addEventListener("click", () => act("/desk/api/dead-letters/replay", {}));
byId("why-cancel").addEventListener("click", () => byId("why").close());
byId("edit-cancel").addEventListener("click", () => byId("edit").close());
byId("discard").addEventListener("click", askReason);
refresh();
