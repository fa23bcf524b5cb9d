// What a supervisor should know of sending: how many dead letters there are, and which channels send nothing now.

import { get } from "./api.js";
import { boot, byId, h } from "./dom.js";
import { moment, words } from "./format.js";

const EVERY_MS = 30_000;

export const pausedText = ({ channel_id, code, since }) =>
  code === "throttled" ? `Sending by ${channel_id} is paused since ${moment(since)}: the provider asked for it.` : `Sending by ${channel_id} is paused since ${moment(since)}: the provider does not answer (${words(code).toLowerCase()}).`;

async function show() {
  const { dead_letters: count, paused } = await get("/desk/api/delivery");
  const link = byId("dead-letters");
  link.hidden = count === 0;
  link.textContent = `${count} dead ${count === 1 ? "letter" : "letters"}`;
  const notice = byId("sending-paused");
  notice.hidden = paused.length === 0;
  notice.replaceChildren(...paused.map((one) => h("p", {}, pausedText(one))));
}

// The page says itself when the gateway is away, so a look that fails is only made again.
const look = () => show().catch(() => null);

if (boot().supervises && byId("dead-letters")) {
  look();
  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", () => document.hidden || look());
}
