// The page for accounts: list, add, change the role, disable and enable, set a password.

import { get, post } from "./api.js";
import { boot, byId, h } from "./dom.js";

const me = boot().agent.id;
const ROLES = Array.from(byId("role").options, (option) => option.value);

async function show() {
  const { agents } = await get("/desk/api/agents");
  byId("accounts").replaceChildren(...agents.map(row));
}

function row(agent) {
  const disabled = agent.disabled_at !== null;
  const roles = h("select", { class: "input", "aria-label": `Role of ${agent.name}`, disabled }, ...ROLES.map((role) => h("option", { selected: role === agent.role }, role)));
  roles.addEventListener("change", () => change(`/desk/api/agents/${agent.id}/role`, { role: roles.value }, `${agent.name} is ${roles.value} now.`));
  const state = h("span", { class: `badge dot ${disabled ? "" : "ok"}` }, disabled ? "Disabled" : "Active");
  const able = disabled
    ? h("button", { class: "button small", type: "button", onclick: () => change(`/desk/api/agents/${agent.id}/enable`, {}, `${agent.name} may sign in again.`) }, "Enable")
    : h("button", { class: "button small bad", type: "button", disabled: agent.id === me, title: agent.id === me ? "Nobody can disable their own account" : null, onclick: () => disable(agent) }, "Disable");
  const phone = h("button", { class: "button small", type: "button", onclick: () => setPhone(agent) }, agent.phone ? "Change phone" : "Add phone");
  const reset = h("button", { class: "button small", type: "button", onclick: () => setPassword(agent) }, "Set password");
  return h(
    "tr",
    { class: disabled ? "disabled" : "", role: "row" },
    cell("Name", { dir: "auto" }, agent.name),
    cell("Login", { class: "mono" }, agent.login),
    cell("Role", {}, roles),
    cell("Phone", { class: "mono" }, agent.phone ?? "None"),
    cell("State", {}, state),
    cell("", {}, h("div", { class: "actions" }, phone, reset, able)),
  );
}

// The roles say what the parts are where a narrow screen shows them below each other.
const cell = (label, properties, content) => h("td", { role: "cell", "data-label": label, ...properties }, content);

function disable(agent) {
  if (confirm(`Disable ${agent.name}? Open sessions end now, and the work goes back to the queue.`)) {
    change(`/desk/api/agents/${agent.id}/disable`, {}, `${agent.name} is disabled.`);
  }
}

async function change(path, body, done) {
  tell("");
  try {
    await post(path, body);
    tell(done);
  } catch (error) {
    tell(error.message, true);
  }
  await show().catch((error) => tell(error.message, true));
}

function tell(text, wrong = false) {
  byId("problem").hidden = !wrong;
  byId("done").hidden = wrong || !text;
  byId(wrong ? "problem" : "done").textContent = text;
}

function setPassword(agent) {
  byId("reset-title").textContent = `New password for ${agent.name}`;
  ask("reset", "", async (password) => {
    await post(`/desk/api/agents/${agent.id}/password`, { password });
    tell(`The password of ${agent.name} is changed.`);
  });
}

function setPhone(agent) {
  byId("phone-title").textContent = `Phone of ${agent.name}`;
  ask("phone", agent.phone ?? "", async (phone) => {
    const { agent: changed } = await post(`/desk/api/agents/${agent.id}/phone`, { phone });
    tell(changed.phone ? `${agent.name} takes callers on ${changed.phone}.` : `${agent.name} takes no callers.`);
    await show();
  });
}

// Shows a dialog with one field, and hands on what was entered; it stays open while that is refused.
function ask(name, value, work) {
  const [dialog, input, problem] = [byId(name), byId(`new-${name}`), byId(`${name}-problem`)];
  input.value = value;
  problem.hidden = true;
  dialog.querySelector("form").onsubmit = async (event) => {
    if (event.submitter?.value !== "set") return;
    event.preventDefault();
    try {
      await work(input.value);
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  };
  dialog.showModal();
}

for (const button of document.querySelectorAll("[data-cancel]")) button.addEventListener("click", () => button.closest("dialog").close());

byId("add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  tell("");
  try {
    const { agent } = await post("/desk/api/agents", {
      name: form.elements.name.value,
      login: form.elements.login.value,
      role: form.elements.role.value,
      password: form.elements.password.value,
    });
    form.reset();
    tell(`${agent.name} can sign in as ${agent.login}.`);
    await show();
  } catch (error) {
    tell(error.message, true);
  }
});

show().catch((error) => tell(error.message, true));
