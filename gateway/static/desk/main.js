// Puts the desk together: lists, conversation, feed and keys. What is shown always comes from the gateway's record.

import { ApiError, get, leave, newId, post } from "./api.js";
import { Composer } from "./composer.js";
import { askCall, askClose, changePassword, showKeys } from "./dialogs.js";
import { announce, boot, byId, differs, h, icon, toast } from "./dom.js";
import { Feed } from "./feed.js";
import { channelName, personName, since, zone } from "./format.js";
import { listenKeys } from "./keys.js";
import { Lists } from "./lists.js";
import { Reads } from "./reads.js";
import { renderSide } from "./side.js";
import { Timeline } from "./timeline.js";

const settings = boot();
const me = settings.agent;
const supervises = me.role !== "agent";
const LISTED = /^(work_item|message\.(in|out)$|owner)/;
const SHOWN = /^(work_item|owner|person|interaction|case|consent|codes)/;
let open = null; // the open conversation: the gateway's document, with `complete`, the cursor up to which nothing is missing
let wasLive = false; // whether the page was connected when that was last said
let followed = false; // the feed follows the open conversation
const reads = new Reads(failed);
const timeline = new Timeline({ older: showOlder, again: sendAgain }, settings.channels);
const lists = new Lists(openConversation, me.id);
const feed = new Feed({
  event: heard,
  viewing: follow,
  reset: () => refresh(),
  presence: showPresence,
  typing: showTyping,
  state: showConnection,
  signedIn: () => reads.read("lists", refreshLists),
});
const composer = new Composer({
  send: (id, text, against, target, file) => post(`${path()}/reply`, { id, text, against_seq: against, target, file }),
  note: (id, text) => post(`${path()}/note`, { id, text }),
  typing: () => feed.typing(open.conversation.id),
  seen: seenSeq,
  claim: () => act("claim"),
  path: () => path(),
  file_max_bytes: settings.file_max_bytes,
  failed,
  entriesAfter: async (seq) => {
    await reads.read("missing", catchUp);
    return timeline.sorted.filter((entry) => entry.message && entry.message.agent !== me.id && entry.conversation === open.conversation.id && entry.seq > seq);
  },
});

const path = (id = open.conversation.id) => `/desk/api/conversations/${encodeURIComponent(id)}`;

const refreshListsSoon = reads.soon("lists", refreshLists, 120);
const refreshOpenSoon = reads.soon("open", refreshOpen, 80);
const refresh = () => Promise.all([reads.read("lists", refreshLists), reads.read("open", refreshOpen)]);

// Where no answer came, the page shows what became of it as soon as the gateway is back.
function failed(error) {
  if (!(error instanceof ApiError)) throw error;
  toast(error.message);
  if (error.offline) refresh();
}

async function refreshLists() {
  const made = await get("/desk/api/lists");
  lists.update(made);
  return made.cursor;
}

async function begin() {
  try {
    feed.start(await refreshLists());
  } catch (error) {
    if (!error.offline) failed(error);
    setTimeout(begin, 2000);
  }
}

async function openConversation(id) {
  byId("panes").dataset.pane = "thread";
  if (open?.conversation.id !== id) {
    followed = false;
    feed.view(id);
  }
  try {
    const document = await get(path(id));
    if (feed.viewing !== id) return;
    timeline.clear();
    show(document, { changed: true });
    if (followed) await reads.read("missing", catchUp);
  } catch (error) {
    if (open && feed.viewing === id) feed.view(open.conversation.id); // never opened later, under the fingers of somebody who types
    failed(error);
  }
}

async function refreshOpen() {
  if (!open) return;
  const id = open.conversation.id;
  const document = await get(path(id));
  if (open?.conversation.id === id) show(document, { changed: false });
}

function show(document, { changed }) {
  open = { ...document, complete: changed ? document.cursor : open.complete, seen: changed ? undefined : open.seen };
  timeline.names = document.names;
  timeline.older = changed ? document.older : timeline.older;
  timeline.add(document.entries);
  byId("welcome").hidden = true;
  byId("conversation").hidden = false;
  timeline.render({ keepEnd: changed || timeline.atEnd });
  showHead(document);
  renderSide(document);
  composer.open({ key: `${me.id}.${document.conversation.id}`, ways: document.ways, access: access(document), holder: document.item.agent_name });
  lists.mark(document.conversation.id, seenSeq());
  if (changed) {
    byId("typing").hidden = true;
    announce(`Conversation with ${byId("title").textContent} is open`);
  }
}

function access({ item }) {
  if (item.state === "done") return "closed";
  if (item.state === "waiting") return "waiting";
  return item.agent === me.id ? "mine" : "other";
}

function showHead({ item, person, ways }) {
  const first = ways[0];
  byId("title").textContent = personName(person.name, first?.family, first?.address);
  const states = { closed: "Closed", waiting: `Waiting since ${since(item.created_at)}`, mine: "With you", other: `With ${item.agent_name}` };
  byId("subtitle").textContent = [states[access(open)], ways.map((way) => channelName(way.family)).filter((one, at, all) => all.indexOf(one) === at).join(", ")].filter(Boolean).join(" · ");
  const button = (label, kind, work, key) => h("button", { class: `button small ${kind}`, type: "button", onclick: work, title: key ? `${label} (${key})` : label }, label);
  const acts = {
    waiting: [button("Claim", "primary", () => act("claim"), "a")],
    mine: [onLine(item) ? button("Take the call", "primary", () => act("claim")) : null, callWay() ? button("Call back", item.reason === "callback" ? "primary" : "", callBack, "c") : null, button("Give back", "quiet", () => act("release"), "u"), button("Close", "", closeConversation, "e")],
    other: supervises ? [button("Send back", "quiet", () => act("return")), button("Take over", "", () => act("take-over"))] : [],
    closed: [],
  };
  if (differs(byId("acts"), [item.id, access(open), Boolean(callWay()), onLine(item)])) byId("acts").replaceChildren(...acts[access(open)].filter(Boolean));
}

// What becomes of a caller who waits on the phone because of the work that was claimed.
const TAKING = {
  rings: "Your phone rings. Press 1 there to talk to the caller.",
  no_phone: "The caller waits on the phone, but your account has no number. An admin can add it.",
  not_fetched: "The caller could not be put through. Try again with Take the call.",
};

async function act(name, body = {}, item = open?.item) {
  if (!item) return;
  try {
    const { call } = await post(`/desk/api/items/${encodeURIComponent(item.id)}/${name}`, body);
    if (TAKING[call]) toast(TAKING[call]);
    if (name === "claim" || name === "take-over") lists.tab = "mine";
  } catch (error) {
    failed(error);
  }
  await refresh();
  if (name === "claim" && open && access(open) === "mine" && !composer.written) composer.focus("reply"); // a note begun meanwhile stays one
}

async function claimCurrent() {
  const line = lists.current();
  if (!line || line.state !== "waiting") return;
  if (open?.conversation.id !== line.conversation) await openConversation(line.conversation);
  await act("claim");
}

async function closeConversation() {
  if (!open || access(open) !== "mine") return;
  const answer = await askClose(settings.dispositions);
  if (answer) await act("close", answer);
}

const onLine = (item) => item.card.call?.status === "waiting";
const callWay = () => open?.ways.find((way) => way.possible && way.family === "ivr");

// A call is one of the ways to reply: what is said first is a message, and what becomes of the call is the state of that message.
async function callBack() {
  if (!open || access(open) !== "mine" || !callWay()) return;
  const [id, way, at] = [open.conversation.id, callWay(), seenSeq()];
  const text = await askCall(way, me.phone, open.item.card.language ?? open.person.language ?? "en");
  if (!text || open?.conversation.id !== id) return;
  try {
    await post(`${path(id)}/reply`, { id: newId(), text, against_seq: at, target: way.key });
  } catch (error) {
    failed(error);
  }
  timeline.toEnd();
}

function giveBack() {
  if (open && access(open) === "mine") act("release");
}

// The newest entry that the person at the screen can have read: what came in while they looked elsewhere does not count.
function seenSeq() {
  if (!open) return 0;
  if (document.visibilityState === "visible" && timeline.atEnd) open.seen = lastSeq();
  return open.seen ?? open.conversation.seq;
}

function lastSeq() {
  const own = timeline.sorted.filter((entry) => entry.conversation === open.conversation.id);
  return Math.max(open.conversation.seq, ...own.slice(-1).map((entry) => entry.seq));
}

function heard(entry) {
  if (LISTED.test(entry.kind)) refreshListsSoon();
  if (entry.conversation !== open?.conversation.id) return;
  const atEnd = timeline.atEnd;
  const added = timeline.add([entry]);
  if (followed) open.complete = Math.max(open.complete, entry.cursor);
  timeline.render({ keepEnd: atEnd, fresh: added.some((one) => one.message) });
  for (const { message } of added) {
    if (message?.author === "customer") {
      byId("typing").hidden = true;
      announce(`New message from the customer: ${message.text || (message.media?.length ? "an attachment" : "")}`);
    }
  }
  if (document.visibilityState === "visible" && timeline.atEnd) lists.mark(open.conversation.id, lastSeq());
  if (SHOWN.test(entry.kind)) refreshOpenSoon();
}

// The feed follows a conversation from here on; what happened since it was read is fetched, once both have happened.
async function follow({ conversation }) {
  if (conversation !== feed.viewing) return;
  followed = true;
  if (open?.conversation.id === conversation) await reads.read("missing", catchUp);
}

async function catchUp() {
  const id = open.conversation.id;
  const { entries, cursor } = await get(`${path(id)}/entries?after=${open.complete}`);
  if (open?.conversation.id !== id) return;
  open.complete = Math.max(open.complete, cursor);
  if (timeline.add(entries).length || entries.length) timeline.render({ fresh: true });
}

async function showOlder() {
  const id = open.conversation.id;
  await reads.read("older", async () => {
    if (open.conversation.id !== id) return;
    const { entries, older } = await get(`${path(id)}/entries?before=${timeline.sorted[0].cursor}`);
    if (open.conversation.id !== id) return;
    timeline.older = older;
    timeline.add(entries);
    timeline.render({ keepEnd: false });
  });
}

async function sendAgain(message) {
  try {
    await post(`/desk/api/messages/${encodeURIComponent(message.id)}/again`, { against_seq: lastSeq() });
  } catch (error) {
    failed(error);
  }
}

function showPresence({ conversation, names }) {
  if (conversation !== open?.conversation.id) return;
  byId("subtitle").dataset.viewers = names.length ? `${names.join(", ")} ${names.length > 1 ? "are" : "is"} looking too` : "";
}

let typingEnds = null;

function showTyping({ conversation, left_ms: left }) {
  if (conversation !== open?.conversation.id) return;
  clearTimeout(typingEnds);
  byId("typing").hidden = left <= 0;
  byId("typing").textContent = "The customer is typing";
  if (left > 0) typingEnds = setTimeout(() => { byId("typing").hidden = true; }, left);
}

function showConnection() {
  const badge = byId("connection");
  const seconds = Math.floor((Date.now() - feed.heardAt) / 1000);
  const text = feed.live ? "Live" : `Reconnecting, ${seconds} s old`;
  if (feed.live) reads.again();
  else followed = false;
  if (badge.textContent !== text) badge.textContent = text;
  if (wasLive === feed.live) return;
  badge.className = `badge dot ${feed.live ? "ok" : "warn"}`;
  announce(feed.live ? "Connected" : "The connection is lost; the page connects again by itself");
  wasLive = feed.live;
}

function back() {
  const panes = byId("panes");
  if (panes.classList.contains("side-open")) toggleSide(false);
  else if (panes.dataset.pane === "thread") {
    panes.dataset.pane = "list";
    byId("rows").querySelector('[aria-current="true"]')?.focus();
  }
}

function toggleSide(shown) {
  byId("panes").classList.toggle("side-open", shown);
  byId("side-toggle").setAttribute("aria-expanded", String(byId("panes").classList.contains("side-open")));
}

byId("back").append(icon("back"));
byId("side-toggle").append(icon("person"));
byId("back").addEventListener("click", back);
byId("side-toggle").addEventListener("click", () => toggleSide());
byId("zone").textContent = `Times are those of ${zone()}`;
byId("keys").addEventListener("click", showKeys);
byId("change-password").addEventListener("click", () => changePassword(settings.password_least));
byId("sign-out").addEventListener("click", () => post("/desk/api/logout").finally(leave));
document.addEventListener("click", (event) => {
  if (!byId("account").contains(event.target)) byId("account").open = false;
});
document.addEventListener("visibilitychange", () => { if (open && document.visibilityState === "visible") lists.mark(open.conversation.id, seenSeq()); });
listenKeys({
  back,
  keys: {
    j: () => lists.move(1),
    k: () => lists.move(-1),
    r: () => composer.focus("reply"),
    n: () => open && composer.focus("note"),
    a: claimCurrent,
    c: callBack,
    e: closeConversation,
    u: giveBack,
    "?": showKeys,
    "g q": () => lists.show("queue"),
    "g m": () => lists.show("mine"),
    "g t": () => lists.show("others"),
  },
});
begin();
