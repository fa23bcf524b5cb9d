// Talks to the desk's JSON interface. Every failure is an ApiError with the stable code of the answer.

const AWAY = [502, 503, 504]; // what a proxy says for a gateway that is not there
const OFFLINE = {
  GET: "The gateway cannot be reached.",
  FILE: "The file did not get through. Remove it and attach it again.",
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
  return answered(method, response?.status ?? 0, answer);
}

function answered(method, status, answer) {
  const good = status >= 200 && status < 300;
  if (!answer && (!status || good || AWAY.includes(status))) throw new ApiError(0, "offline", OFFLINE[method]);
  if (good) return answer;
  const { code = "internal", text = "Something went wrong.", ...details } = answer?.error ?? {};
  if (status === 401 && code === "sign_in") leave();
  throw new ApiError(status, code, text, details);
}

export const get = (path) => request("GET", path);
export const post = (path, body = {}) => request("POST", path, body);

// Sends a file as it is and says how far it is; `began` gets the request, which can be aborted.
export function upload(path, file, { progress, began }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.responseType = "json";
    request.setRequestHeader("X-Parley-Desk", "1");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.addEventListener("progress", (event) => event.lengthComputable && progress(event.loaded / event.total));
    request.addEventListener("loadend", () => {
      try {
        resolve(answered("FILE", request.status, request.response));
      } catch (error) {
        reject(error);
      }
    });
    began(request);
    request.send(file);
  });
}

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
