// What entries of the log mean, in words.

import { boot } from "./dom.js";
import { channelName, named, words } from "./format.js";

const STATES = {
  queued: { text: "Queued", glyph: "clock", tone: "" },
  sending: { text: "Sending", glyph: "clock", tone: "" },
  retry_wait: { text: "Trying again", glyph: "clock", tone: "warn" },
  unknown: { text: "Outcome unknown", glyph: "warn", tone: "warn" },
  accepted: { text: "Accepted", glyph: "check", tone: "" },
  sent: { text: "Sent", glyph: "check", tone: "" },
  delivered: { text: "Delivered", glyph: "checks", tone: "ok" },
  read: { text: "Read", glyph: "checks", tone: "ok" },
  undelivered: { text: "Not delivered", glyph: "warn", tone: "bad" },
  failed: { text: "Failed", glyph: "warn", tone: "bad" },
  expired: { text: "Not sent: too old", glyph: "warn", tone: "bad" },
  dead: { text: "Given up", glyph: "warn", tone: "bad" },
};

// What becomes of a call that an agent makes.
const CALL_STATES = {
  queued: { text: "Calling", glyph: "clock", tone: "" },
  sending: { text: "Calling", glyph: "clock", tone: "" },
  accepted: { text: "Calling", glyph: "clock", tone: "" },
  sent: { text: "Ringing", glyph: "clock", tone: "" },
  delivered: { text: "Answered", glyph: "checks", tone: "ok" },
  failed: { text: "Not answered", glyph: "warn", tone: "bad" },
};

export function messageState(message, status, family) {
  if (status === "cancelled") {
    const text = message.author === "agent" ? "Not sent: newer message" : "Not sent: an agent took over";
    return { text, glyph: "warn", tone: message.author === "agent" ? "bad" : "warn" };
  }
  const call = family === "ivr" && message.author === "agent" && CALL_STATES[status];
  return call || STATES[status] || { text: words(status), glyph: "", tone: "" };
}

// Why a conversation was handed over. Some reasons say more after a colon.
const REASONS = new Map(Object.entries({
  asked: "Asked for a person",
  unclear: "Not understood by the bot",
  action: "A person is needed for this",
  action_failed: "A system behind the bot failed",
  flow_failed: "The bot stopped with an error",
  callback: "Wants to be called back",
  voicemail: "Left a message",
  risk: "Speaks of a danger, a fraud or the law",
  abuse: "Upset: uses strong words",
}));
const REASONS_OF = {
  flow: named,
  slot: (name) => `No usable answer: ${named(name.replace(/:.*/, ""))}`,
  stuck: () => "The bot made no headway",
};

export function reasonText(code) {
  const [kind, ...rest] = String(code ?? "").split(":");
  return REASONS.get(code) ?? (rest.length && Object.hasOwn(REASONS_OF, kind) ? REASONS_OF[kind](rest.join(":")) : words(code));
}

// How a conversation ended, in the words among which the agent chose.
const OUTCOMES = new Map(boot().dispositions);

export const outcomeText = (code) => OUTCOMES.get(code) ?? words(code);

const CLOSED = { agreed: "both sides agreed", agent: "closed by the agent", timeout: "nobody wrote any more" };

const PICKED_UP = { person: "The customer answered the call", machine: "An answering machine took the call and was told your words", fax: "A fax took the call; nothing was said" };
const NOT_ANSWERED = { busy: "the customer is on the phone", "no-answer": "nobody picked up", failed: "the number could not be reached", canceled: "the call was cancelled" };

// How a caller stands who is put through to people.
const PUT_THROUGH = {
  ringing: "a phone of ours rings",
  waiting: "the caller waits in the queue",
  fetched: "the agent’s phone rings",
  taken: "taken",
  completed: "they talked",
  abandoned: "the caller hung up",
  left: "the caller left the queue",
  full: "the queue was full",
  busy: "the phone was busy",
  "no-answer": "nobody took the call",
  failed: "it could not be put through",
  canceled: "it was cancelled",
};

export function putThrough({ status, seconds }) {
  return `${PUT_THROUGH[status] ?? words(status)}${seconds ? `, ${seconds} s` : ""}`;
}

const SYSTEM = {
  "interaction.opened": ({ interaction: one }) => {
    const way = one?.direction === "outbound" ? "Contact from us" : "Contact";
    const where = one?.media === "web" ? "" : `, ${one?.service_number}`; // the name of a chat says nothing to people
    return one ? `${way} by ${channelName(one.media)}${where}` : "Contact began";
  },
  "interaction.closed": ({ interaction: one, body }) => `${one ? channelName(one.media) : ""} contact ended: ${CLOSED[body?.reason] ?? words(body?.reason)}`.trim(),
  "work_item.created": ({ body }) => `Handed over to the queue ${words(body?.queue)}: ${reasonText(body?.reason)}`,
  "work_item.claimed": ({ body }, names) => `${names[body.agent_id] ?? "An agent"} took the conversation${body.from ? ` from ${names[body.from] ?? "a colleague"}` : ""}`,
  "work_item.call": ({ body }) => `Call: ${putThrough(body)}`,
  "call.answered": ({ body }) => PICKED_UP[body.by],
  "call.not_answered": ({ body }) => `Call not answered: ${NOT_ANSWERED[body.how]}`,
  "work_item.returned": ({ body }, names) => {
    const holder = names[body.agent_id] ?? "The agent";
    return body.by === body.agent_id ? `${holder} gave the conversation back to the queue` : `The conversation of ${holder} went back to the queue`;
  },
  "work_item.closed": ({ body }, names) => (body.disposition === "not_reached" && !body.agent_id ? "No colleague took the call; the bot goes on" : `${names[body.agent_id] ?? "The agent"} closed the conversation: ${outcomeText(body.disposition)}`),
  "case.opened": ({ body }) => `Case ${body?.number ?? ""} opened`,
  "consent.changed": ({ body }) => (body?.opted_in ? "Customer accepts messages again" : "Customer wants no more messages"),
  "dead_letter.edited": ({ body }) => `${body.by} corrected a message that could not be sent: ${body.changed.join(" and ")}`,
  "codes.stopped": ({ body }) => `No code was sent: codes are stopped for an hour ${body.range ? `for numbers that begin with ${body.range}` : "for all numbers"}`,
  "codes.locked": () => "Locked: too many wrong codes; no more are sent to this person",
  "codes.unlocked": ({ body }) => `${body.by} lets this person have codes again`,
  "mail.copy": () => "The same mail came to another of our mailboxes before; it is answered from there",
  "mail.stranger": () => "This mail named a conversation of somebody else; it began one of its own",
  "address.marked": ({ body }) => (body?.mark === "unreachable" ? "Mails to the customer's address come back" : "The customer reported our mail as unwanted"),
  "person.verified": ({ body }) => (body?.merged || body?.merged_into ? "Identity proved; both records belong to one person" : "Identity proved"),
};

export function systemText(entry, names) {
  return SYSTEM[entry.kind]?.(entry, names) ?? null;
}

const STEPS = {
  "action.asked": ({ body }) => `Asked: ${named(body?.name)}`,
  "action.ended": ({ body }) => `${named(body?.name)}: ${body?.error ? words(body.error) : "done"}`,
  "flow.failed": () => "The dialog stopped with an error",
};

export const isStep = (entry) => entry.kind in STEPS;
export const stepText = (entry) => STEPS[entry.kind](entry);
