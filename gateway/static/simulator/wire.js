/* How devices ask the simulated networks, and the few things that all of them show. Text is only ever a text node. */

export const TROUBLE = "The network does not answer. Try again in a moment.";
export const find = (selector) => document.querySelector(selector);
export const all = (selector) => [...document.querySelectorAll(selector)];
export const time = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
export const moment = (at) => new Date(at).toLocaleString([], { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false, timeZoneName: "short" });

/* In a row of which one is chosen, the arrows move the choice; only the chosen one is a stop of the Tab key. */
export function rove(row, choose) {
  const all = [...row.querySelectorAll('[role="tab"], [role="radio"]')];
  const isChosen = (one) => one.getAttribute(one.getAttribute("role") === "tab" ? "aria-selected" : "aria-checked") === "true";
  const mark = () => all.forEach((one) => (one.tabIndex = isChosen(one) ? 0 : -1));
  row.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = all[(all.indexOf(event.target) + step + all.length) % all.length];
    next.focus();
    choose(next);
  });
  mark();
  return mark;
}

/* Ask the network; resolves to the answer's document, null where it has none, and throws where it refuses or is away. */
export async function ask(path, body, options = {}) {
  const answer = await fetch(`/simulator/api/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    ...options,
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

export function node(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
