// Single keys outside of inputs; whatever they do can also be done with a button.

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
    if (writing) return;
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
