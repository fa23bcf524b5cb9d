// Single keys outside of inputs; whatever they do can also be done with a button. Who speaks to the computer, or rests hands on the
// keys, can switch them off: then Esc is the only one that acts.

const OFF = "parley.desk.keys.off";

export const keysAct = () => localStorage.getItem(OFF) === null;

export function letKeysAct(act) {
  if (act) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
}

export function listenKeys(actions) {
  let prefix = "";
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const writing = event.target.matches("input, textarea, select");
    if (event.key === "Escape") {
      if (writing) event.target.blur();
      else actions.back();
      return;
    }
    if (writing || !keysAct()) return;
    const key = prefix + event.key;
    prefix = "";
    if (event.key === "g" && key === "g") {
      prefix = "g ";
      return;
    }
    const action = actions.keys[key];
    if (action) {
      event.preventDefault();
      action();
    }
  });
}
