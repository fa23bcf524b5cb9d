// Builds elements. Text only ever becomes a text node: nothing here, and nothing at the desk, parses HTML.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

export const boot = () => JSON.parse(byId("boot").textContent);

const PATHS = {
  sms: "M4 5h16v11H9l-4 4v-4H4zM8 9h8M8 12h5",
  ussd: "M7 3h10v18H7zM10 7h4M10 11h.01M14 11h.01M10 14h.01M14 14h.01M10 17h.01M14 17h.01",
  web: "M3 12a9 9 0 1 0 18 0 9 9 0 1 0-18 0M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
  ivr: "M6 3h3l2 5-2 2c1 2 3 4 5 5l2-2 5 2v3c0 1-1 2-2 2C11 20 4 13 4 5c0-1 1-2 2-2",
  telegram: "M3 11l18-7-3 16-6-4-3 4v-6l8-7",
  whatsapp: "M4 20l1-4a8 8 0 1 1 3 3zM9 9c0 3 3 6 6 6",
  email: "M3 6h18v12H3zM3 7l9 6 9-6",
  console: "M3 5h18v14H3zM7 9l3 3-3 3M12 15h4",
  back: "M15 5l-7 7 7 7",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-5 16-5 16 0",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18M12 7v5l3 2",
  check: "M5 13l4 4L19 7",
  checks: "M2 13l4 4L16 7M11 16l1 1L22 7",
  clip: "M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4L14.5 7.2",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  place: "M12 21c4-5 6-8 6-11a6 6 0 0 0-12 0c0 3 2 6 6 11zM12 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  warn: "M12 4l9 16H3zM12 10v4M12 17h.01",
};

export function icon(name, label = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "glyph");
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.web);
  svg.append(path);
  return svg;
}

// Shows `parts` ({key, sign, make}) in `box`, in their order. A part whose sign is what it was keeps its element, so a click, a
// selection or an opened fold survives whatever changes around it; the focus moves on to what replaces its element.
export function reconcile(box, parts) {
  const before = box.kept ?? new Map();
  const after = new Map();
  for (const { key, sign, make } of parts) {
    const old = before.get(key);
    after.set(key, old?.sign === sign ? old : { sign, node: make() });
  }
  const focused = [...before].find(([, one]) => one.node.contains(document.activeElement))?.[0];
  const nodes = [...after.values()].map((one) => one.node);
  const wanted = new Set(nodes);
  for (const child of [...box.childNodes]) if (!wanted.has(child)) child.remove();
  let at = box.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else box.insertBefore(node, at);
  }
  box.kept = after;
  const replaced = after.get(focused)?.node;
  if (replaced && !replaced.contains(document.activeElement)) (replaced.matches("button") ? replaced : replaced.querySelector("button"))?.focus();
}

// Tells whether `value` is another one than at the last call for this owner.
const values = new WeakMap();

export function differs(owner, value) {
  const text = JSON.stringify(value);
  if (values.get(owner) === text) return false;
  values.set(owner, text);
  return true;
}

export function toast(text) {
  const shown = h("p", { class: "toast" }, text);
  byId("toasts").append(shown);
  setTimeout(() => shown.remove(), 8000);
}

// For a screen reader: says something without moving the focus.
export function announce(text) {
  const line = h("p", {}, text);
  byId("live").append(line);
  setTimeout(() => line.remove(), 10000);
}
