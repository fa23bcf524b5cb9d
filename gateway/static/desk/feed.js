// The live feed: a numbered stream of what happens. Each frame names the one before it; after a drop, or when a number is
// missing, it resumes from the last frame that arrived. Nobody ever has to reload the page.

import { leave } from "./api.js";

const SILENCE_MS = 25_000;
const ACTIVE_EVERY_MS = 60_000;
const TYPING_EVERY_MS = 3_000;
const REVOKED = 4401;

export class Feed {
  constructor(handlers) {
    this.handlers = handlers; // event, reset, viewing, presence, typing, state
    this.last = 0;
    this.heardAt = Date.now();
    this.failures = 0;
    this.viewing = null;
    this.socket = null;
    this.retry = null;
    setInterval(() => this.#watch(), 1000);
    for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, () => this.#active(), { passive: true });
    window.addEventListener("online", () => this.#reconnect(0));
  }

  get live() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  start(cursor) {
    this.last = cursor;
    this.#connect();
  }

  view(conversation) {
    this.viewing = conversation;
    this.#say({ type: "viewing", conversation });
  }

  typing(conversation) {
    const now = Date.now();
    if (now - (this.typedAt ?? 0) < TYPING_EVERY_MS) return;
    this.typedAt = now;
    this.#say({ type: "typing", conversation });
  }

  #connect() {
    clearTimeout(this.retry);
    this.retry = null;
    const url = new URL(`/desk/feed?after=${this.last}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.failures = 0;
      this.heardAt = Date.now();
      if (this.viewing) this.#say({ type: "viewing", conversation: this.viewing });
      this.handlers.state(this);
    });
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.socket) this.#hear(JSON.parse(data));
    });
    socket.addEventListener("close", ({ code }) => {
      if (socket !== this.socket) return;
      if (code === REVOKED) leave();
      else this.#reconnect(Math.min(10_000, 500 * 2 ** this.failures++));
    });
  }

  #reconnect(delay) {
    const old = this.socket;
    this.socket = null;
    old?.close();
    this.handlers.state(this);
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.#connect(), delay * (0.5 + Math.random() / 2));
  }

  #hear(frame) {
    this.heardAt = Date.now();
    if (frame.type === "event" && frame.cursor <= this.last) return;
    if ((frame.type === "event" || frame.type === "alive") && frame.after !== this.last) {
      this.#reconnect(0);
      return;
    }
    if (frame.type === "event" || frame.type === "reset") this.last = frame.cursor;
    this.handlers[frame.type]?.(frame);
  }

  #watch() {
    if (this.live && Date.now() - this.heardAt > SILENCE_MS) this.#reconnect(0);
    else if (!this.live && this.failures > 3 && this.failures % 4 === 0) this.handlers.signedIn?.();
    this.handlers.state(this);
  }

  #active() {
    const now = Date.now();
    if (now - (this.activeAt ?? 0) < ACTIVE_EVERY_MS) return;
    this.activeAt = now;
    this.#say({ type: "active" });
  }

  #say(frame) {
    if (this.live) this.socket.send(JSON.stringify(frame));
  }
}
