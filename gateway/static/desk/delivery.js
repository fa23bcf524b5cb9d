// What a supervisor should know of sending: how many dead letters there are, and which channels and codes are not sent now.

import { get } from "./api.js";
import { boot, byId, h } from "./dom.js";
import { moment, words } from "./format.js";

const EVERY_MS = 30_000;

const CAUSES = {
  throttled: "the provider asked for it",
  provider_down: "the provider answers with errors",
  timeout: "the provider does not answer",
  not_connected: "the provider cannot be reached",
};

export const pausedText = ({ channel_id, code, since }) => `Sending by ${channel_id} is paused since ${moment(since)}: ${CAUSES[code] ?? words(code).toLowerCase()}. Messages wait, and go out by themselves when it works again.`;

const stoppedText = ({ range, until }) => (range ? `No codes are sent to numbers that begin with ${range} until ${moment(until)}: few of those sent were typed in.` : `No codes are sent until ${moment(until)}: as many as are allowed in a day were sent.`);

async function show() {
  const { dead_letters: count, paused, code_stops: stops } = await get("/desk/api/delivery");
  const link = byId("dead-letters");
  link.hidden = count === 0;
  link.textContent = `${count} dead ${count === 1 ? "letter" : "letters"}`;
  const notice = byId("sending-paused");
  const texts = [...paused.map(pausedText), ...stops.map(stoppedText)];
  notice.hidden = texts.length === 0;
  notice.replaceChildren(...texts.map((text) => h("p", {}, text)));
}

// The page says itself when the gateway is away, so a look that fails is only made again.
const look = () => show().catch(() => null);

if (boot().supervises && byId("dead-letters")) {
  look();
  setInterval(() => document.hidden || look(), EVERY_MS);
  document.addEventListener("visibilitychange", () => document.hidden || look());
}
