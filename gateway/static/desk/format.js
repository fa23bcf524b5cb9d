// Times and names as people read them: in the reader's own language and time zone, by the 24 hours of the clock that customers see too.

const HOURS = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const clock = new Intl.DateTimeFormat(undefined, HOURS);
const date = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", ...HOURS });
const full = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric", ...HOURS, second: "2-digit", timeZoneName: "short" });

export const CHANNELS = { sms: "SMS", ussd: "USSD", web: "Web chat", ivr: "Voice", telegram: "Telegram", whatsapp: "WhatsApp", email: "E-mail", console: "Console" };
export const LANGUAGES = { en: "English", fr: "French", sw: "Swahili" };

export const time = (at) => clock.format(at);
export const moment = (at) => short.format(at);
export const exact = (at) => full.format(at);
export const zone = () => `${full.resolvedOptions().timeZone} (${full.formatToParts().find((part) => part.type === "timeZoneName").value})`;
export const number = (count) => count.toLocaleString();
export const channelName = (family) => CHANNELS[family] ?? family ?? "";

export function day(at) {
  const days = Math.round((midnight(Date.now()) - midnight(at)) / 86_400_000);
  if (days === 0) return "Today";
  return days === 1 ? "Yesterday" : date.format(at);
}

function midnight(at) {
  const moved = new Date(at);
  return moved.setHours(0, 0, 0, 0);
}

// Since when something is so: a time of today, else with its day. Unlike an age it never goes stale on the screen.
export const since = (at) => (day(at) === "Today" ? time(at) : moment(at));

export function age(at, now = Date.now()) {
  const seconds = Math.max(0, Math.floor((now - at) / 1000));
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

// How urgent a wait is, for its colour.
export function urgency(at, now = Date.now()) {
  const minutes = (now - at) / 60_000;
  if (minutes >= 15) return "bad";
  return minutes >= 5 ? "warm" : "";
}

// A code from the program, as words: "bad_number" becomes "Bad number".
export function words(code) {
  const text = String(code ?? "").replaceAll("_", " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// The name of a flow, a step or an action, as words.
export const named = (name) => words(String(name ?? "").replace(/^action_/, ""));

// A visitor of the web chat has an address that says nothing to people.
export const addressName = (kind, value) => (kind === "visitor" ? "Web visitor" : value);

// The number of a Telegram account says nothing to people either, unless they are told what it is.
export const personName = (name, family, address) => name || { web: "Web visitor", telegram: `Telegram ${address}` }[family] || address;

// How large a file is, in the unit that people use for it.
export function size(bytes) {
  if (bytes < 1_000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
