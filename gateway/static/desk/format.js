// Times and names as people read them, in the reader's own language settings.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export const CHANNELS = { sms: "SMS", ussd: "USSD", web: "Web chat", ivr: "Voice", telegram: "Telegram", whatsapp: "WhatsApp", email: "E-mail", console: "Console" };
export const LANGUAGES = { en: "English", fr: "French", sw: "Swahili" };

export const time = (at) => clock.format(at);
export const moment = (at) => short.format(at);
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

export const personName = (name, family, address) => name || (family === "web" ? "Web visitor" : address);

// How large a file is, in the unit that people use for it.
export function size(bytes) {
  if (bytes < 1_000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
