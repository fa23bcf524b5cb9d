// Signing in.

import { post } from "./api.js";
import { byId } from "./dom.js";

const form = byId("sign-in");
const problem = byId("problem");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  problem.hidden = true;
  try {
    await post("/desk/api/login", { login: form.login.value, password: form.password.value });
    location.assign("/desk");
  } catch (error) {
    const wait = error.details?.retry_after_s;
    problem.textContent = wait ? `${error.message} You can try again in ${wait} seconds.` : error.message;
    problem.hidden = false;
    form.password.value = "";
    form.password.focus();
  } finally {
    button.disabled = false;
  }
});
