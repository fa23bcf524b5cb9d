// Talks to the desk's JSON interface. Every failure is an ApiError with the stable code of the answer.

const AWAY = [502, 503, 504]; // what a proxy says for a gateway that is not there
const OFFLINE = {
  GET: "The gateway cannot be reached.",
  POST: "The gateway did not answer, so it is not known whether this was done. Look again once it is back.",
};

export class ApiError extends Error {
  constructor(status, code, text, details = {}) {
    super(text);
    this.status = status;
    this.code = code;
    this.details = details;
  }

  get offline() {
    return this.code === "offline";
  }
}

async function request(method, path, body) {
  const options = { method, headers: { "X-Parley-Desk": "1" }, cache: "no-store" };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options).catch(() => null);
  const answer = await response?.json().catch(() => null);
  if (!answer && (!response || response.ok || AWAY.includes(response.status))) throw new ApiError(0, "offline", OFFLINE[method]);
  if (response.ok) return answer;
  const { code = "internal", text = "Something went wrong.", ...details } = answer?.error ?? {};
  if (response.status === 401 && code === "sign_in") leave();
  throw new ApiError(response.status, code, text, details);
}

export const get = (path) => request("GET", path);
export const post = (path, body = {}) => request("POST", path, body);

export function leave() {
  location.assign("/desk/login");
}

// A UUID that sorts by time; the server derives the id of a message from it, so that a repeated request is the same message.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = Date.now();
  for (let i = 5; i >= 0; i--) {
    bytes[i] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
