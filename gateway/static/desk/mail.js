// What a mail has besides its new text: who else it went to, what it quotes, and how it looked. All of it is fetched when asked for.

import { get } from "./api.js";
import { h } from "./dom.js";

const MACHINES = {
  auto_reply: "Automatic reply",
  bounce: "Returned mail",
  complaint: "Complaint",
  list: "Mailing list",
  unreadable: "Could not be read; the mail itself is kept",
};
const OTHERS_MAX = 5;

export function mailHead({ address, author, letter }) {
  const from = author === "customer" || author === "system" ? line("From", [address]) : null;
  const lines = [letter.subject ? line("Subject", [letter.subject], "subject") : null, from, line("To", letter.to), line("Cc", letter.cc)];
  const machine = letter.automatic ? h("p", { class: "mail-machine" }, MACHINES[letter.automatic] ?? "Written by a machine") : null;
  return letter.subject || letter.to?.length || machine ? h("div", { class: "mail-head" }, machine, ...lines) : null;
}

function line(label, values, kind = "") {
  if (!values?.length) return null;
  const shown = values.slice(0, OTHERS_MAX).join(", ");
  const rest = values.length > OTHERS_MAX ? ` and ${values.length - OTHERS_MAX} more` : "";
  return h("p", { class: `mail-line ${kind}` }, h("span", { class: "hint" }, `${label} `), h("span", { dir: "auto" }, shown + rest));
}

export function mailRest({ id, letter }) {
  const more = letter.more ?? [];
  const parts = [];
  if (more.includes("quoted") || more.includes("signature")) parts.push(folded("Quoted text and signature", (box) => fillText(box, id)));
  if (more.includes("safe_html")) parts.push(folded("Show original", (box) => box.append(frame(id))));
  return parts.length ? h("div", { class: "mail-rest" }, ...parts) : null;
}

// Fills itself when it is opened for the first time.
function folded(label, fill) {
  const box = h("div", { class: "mail-more" });
  const details = h("details", { class: "mail-part" }, h("summary", {}, label), box);
  details.addEventListener("toggle", () => {
    if (details.open && !box.childNodes.length) fill(box);
  });
  return details;
}

async function fillText(box, id) {
  try {
    const { quoted, signature } = await get(`/desk/api/messages/${encodeURIComponent(id)}/letter`);
    box.replaceChildren(...[signature, quoted].filter(Boolean).map((text) => h("pre", { class: "mail-text", dir: "auto" }, text)));
  } catch (error) {
    box.replaceChildren();
    box.parentElement.open = false;
    box.parentElement.querySelector("summary").append(h("span", { class: "hint" }, ` ${error.message}`));
  }
}

// Nothing in it runs, and it may fetch nothing: both by the frame and by the answer that it shows.
function frame(id) {
  const src = `/desk/api/messages/${encodeURIComponent(id)}/look`;
  return h("iframe", { class: "mail-look", sandbox: "", referrerpolicy: "no-referrer", loading: "lazy", title: "The mail as it looked", src });
}
