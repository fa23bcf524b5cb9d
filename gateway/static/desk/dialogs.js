// The small windows of the desk: closing a conversation, the list of keys, changing the password.

import { post } from "./api.js";
import { h, toast } from "./dom.js";
import { keysAct, letKeysAct } from "./keys.js";

function open(title, children, actions) {
  const dialog = h("dialog", { class: "card raised", "aria-label": title }, h("form", { class: "stack", method: "dialog" }, h("h2", {}, title), ...children, h("div", { class: "actions" }, ...actions)));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// Not a button that submits: the first of those is what Enter in a field presses.
const cancel = () => h("button", { class: "button", type: "button", onclick: (event) => event.target.closest("dialog").close("cancel") }, "Cancel");

// Asks how the matter ended; resolves to {disposition, note}, or null.
export function askClose(dispositions) {
  return new Promise((resolve) => {
    const choices = dispositions.map(([code, label], index) =>
      h("label", { class: "choice" }, h("input", { type: "radio", name: "disposition", value: code, required: true, checked: index === 0 }), h("kbd", {}, String(index + 1)), " ", label),
    );
    const note = h("textarea", { class: "input", rows: 2, id: "close-note", maxlength: 4000, dir: "auto" });
    const confirm = h("button", { class: "button primary", value: "close" }, "Close conversation");
    const dialog = open(
      "Close the conversation",
      [h("fieldset", {}, h("legend", { class: "label" }, "How did it end?"), ...choices), h("div", { class: "field" }, h("label", { for: "close-note" }, "Note for colleagues (optional)"), note)],
      [cancel(), confirm],
    );
    dialog.addEventListener("keydown", (event) => {
      if (event.target === note) {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) confirm.click();
        return;
      }
      const picked = choices[Number(event.key) - 1]?.querySelector("input");
      if (picked) {
        picked.checked = true;
        picked.focus();
      } else if (event.key === "Enter" && event.target.type === "radio") {
        event.preventDefault();
        confirm.click();
      }
    });
    dialog.addEventListener("close", () => {
      const picked = dialog.querySelector("input:checked");
      resolve(dialog.returnValue === "close" && picked ? { disposition: picked.value, note: note.value.trim() || null } : null);
    });
    dialog.querySelector("input:checked").focus();
  });
}

const HELLO = {
  en: "Hello, we are calling you back about your request.",
  fr: "Bonjour, nous vous rappelons au sujet de votre demande.",
  sw: "Habari, tunakupigia simu tena kuhusu ombi lako.",
};

// Asks what is said to a customer who is called; resolves to the words, or null.
export function askCall(way, phone, language) {
  return new Promise((resolve) => {
    const box = h("textarea", { class: "input", rows: 3, id: "call-words", maxlength: way.text_max_chars, required: true, dir: "auto" });
    box.value = HELLO[language] ?? "";
    const confirm = h("button", { class: "button primary", value: "call" }, "Call now");
    const then = phone ? `put through to your phone, ${phone}` : way.puts_through ? "put through to the phone of the queue" : "";
    const hint = then ? `Whoever answers hears this first and is then ${then}.` : "Whoever answers hears this, and the call ends.";
    const dialog = open(`Call ${way.address}`, [h("div", { class: "field" }, h("label", { for: "call-words" }, "What is said first"), box), h("p", { class: "hint" }, hint)], [cancel(), confirm]);
    dialog.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && confirm.click());
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "call" ? box.value.trim() : null));
    (box.value ? confirm : box).focus();
  });
}

const KEYS = [
  [["j", "k"], "Next, previous conversation"],
  [["Enter"], "Open the conversation"],
  [["g", "q"], "Queue"],
  [["g", "m"], "Mine"],
  [["g", "t"], "Team (supervisors)"],
  [["a"], "Claim"],
  [["r"], "Write a reply"],
  [["n"], "Write an internal note"],
  [["Ctrl", "Enter"], "Send"],
  [["c"], "Call back"],
  [["u"], "Give back to the queue"],
  [["e"], "Close the conversation"],
  [["Esc"], "Leave the box, go back"],
  [["?"], "This list"],
];

export function showKeys() {
  const rows = KEYS.map(([keys, text]) => [h("dt", {}, ...keys.map((key) => [h("kbd", {}, key), " "]).flat()), h("dd", {}, text)]).flat();
  const act = h("input", { type: "checkbox", checked: keysAct() });
  act.addEventListener("change", () => letKeysAct(act.checked));
  const choice = h("label", { class: "choice" }, act, " Single keys act. ", h("span", { class: "hint" }, "Off: only Ctrl+Enter and Esc do."));
  open("Keyboard", [h("dl", { class: "facts keys" }, ...rows), choice], [h("button", { class: "button", value: "ok", autofocus: true }, "Close")]);
}

export function changePassword(least) {
  const old = h("input", { class: "input", type: "password", id: "old", autocomplete: "current-password", required: true });
  const fresh = h("input", { class: "input", type: "password", id: "fresh", autocomplete: "new-password", required: true });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const dialog = open(
    "Change my password",
    [h("div", { class: "field" }, h("label", { for: "old" }, "Old password"), old), h("div", { class: "field" }, h("label", { for: "fresh" }, `New password (at least ${least} characters)`), fresh), problem],
    [cancel(), h("button", { class: "button primary", value: "change" }, "Change")],
  );
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    if (event.submitter?.value !== "change") return;
    event.preventDefault();
    try {
      await post("/desk/api/password", { old: old.value, new: fresh.value });
      dialog.close();
      toast("Your password is changed. Sign in with the new one.");
      setTimeout(() => location.assign("/desk/login"), 1500);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  });
}
