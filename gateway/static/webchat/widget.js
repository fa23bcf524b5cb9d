/* Parley web chat: one script tag, no dependency.
 *
 *   <script src="https://gateway.example/webchat/widget.js" data-channel="web" async></script>
 *
 * Optional: data-title, data-accent (a CSS colour), data-language (en, fr, sw; otherwise the page's). The window follows the
 * page's color-scheme and direction. It keeps a visitor token in localStorage and unsent messages in sessionStorage; what was
 * said is read from the gateway, by number, so nothing is shown twice and a gap is noticed. Text is only ever a text node.
 */
(() => {
  "use strict";

  const script = document.currentScript;
  const base = new URL(script.src).origin;
  const channel = script.dataset.channel || "web";
  const language = (script.dataset.language || document.documentElement.lang || navigator.language || "en").slice(0, 2).toLowerCase();
  const FILE_BYTES_MAX = 5242880;
  const place = `parley:${base}:${channel}`;

  const WORDS = {
    en: {
      title: "Chat with us", open: "Open chat", close: "Close chat", write: "Write a message", send: "Send", agent: "Agent", bot: "Assistant",
      you: "You", online: "Online", connecting: "Connecting…", offline: "No connection. What you write is sent when it is back.",
      waiting: "Waiting to be sent", failed: "Not sent", typing: "is typing", unread: "unread messages", log: "Conversation", choices: "Choose an answer",
      unavailable: "The chat is not available on this page.", attach: "Send a file", sending: "Sending", save: "Save", picture: "Picture",
      too_large: "The file is larger than 5 MB", type_refused: "Files of this kind are not taken", not_sent: "The file was not sent",
    },
    fr: {
      title: "Discutez avec nous", open: "Ouvrir la discussion", close: "Fermer la discussion", write: "Écrivez un message", send: "Envoyer",
      agent: "Conseiller", bot: "Assistant", you: "Vous", online: "En ligne", connecting: "Connexion…",
      offline: "Pas de connexion. Vos messages partiront dès son retour.", waiting: "En attente d’envoi", failed: "Non envoyé", typing: "écrit",
      unread: "messages non lus", log: "Conversation", choices: "Choisissez une réponse",
      unavailable: "La discussion n’est pas disponible sur cette page.", attach: "Envoyer un fichier", sending: "Envoi en cours", save: "Enregistrer",
      picture: "Image", too_large: "Le fichier dépasse 5 Mo", type_refused: "Ce type de fichier n’est pas accepté", not_sent: "Le fichier n’a pas été envoyé",
    },
    sw: {
      title: "Ongea nasi", open: "Fungua mazungumzo", close: "Funga mazungumzo", write: "Andika ujumbe", send: "Tuma", agent: "Mhudumu",
      bot: "Msaidizi", you: "Wewe", online: "Mtandaoni", connecting: "Inaunganisha…",
      offline: "Hakuna mtandao. Ujumbe wako utatumwa ukirudi.", waiting: "Inasubiri kutumwa", failed: "Haikutumwa", typing: "anaandika",
      unread: "ujumbe ambao haujasomwa", log: "Mazungumzo", choices: "Chagua jibu",
      unavailable: "Mazungumzo hayapatikani kwenye ukurasa huu.", attach: "Tuma faili", sending: "Inatuma", save: "Hifadhi", picture: "Picha",
      too_large: "Faili ni kubwa kuliko MB 5", type_refused: "Faili za aina hii hazipokelewi", not_sent: "Faili haikutumwa",
    },
  };
  const words = WORDS[language] || WORDS.en;

  // ── Small tools ──────────────────────────────────────────────────────────────────────────────────────────────────

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value != null) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  function icon(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS(svg.namespaceURI, "path");
    shape.setAttribute("d", path);
    svg.append(shape);
    return svg;
  }

  function newId() {
    return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /* A page may have storage switched off; then the window lives as long as the page. */
  function stored(storage) {
    const memory = new Map();
    return {
      get(key) {
        try {
          return JSON.parse(window[storage].getItem(`${place}:${key}`)) ?? memory.get(key);
        } catch {
          return memory.get(key);
        }
      },
      set(key, value) {
        memory.set(key, value);
        try {
          window[storage].setItem(`${place}:${key}`, JSON.stringify(value));
        } catch {
          return; // kept in memory
        }
      },
    };
  }

  const forGood = stored("localStorage");
  const forThisTab = stored("sessionStorage");

  // ── Connection: a ticket, a socket, numbers; comes back by itself ────────────────────────────────────────────────

  class Line {
    constructor(listener) {
      this.listener = listener;
      this.files = `${base}/webchat/${encodeURIComponent(channel)}/files`;
      this.last = 0;
      this.unsent = forThisTab.get("unsent") || [];
      this.inFlight = null;
      this.tries = 0;
      this.socket = null;
      this.ready = false;
      this.wanted = false;
      window.addEventListener("online", () => this.retry(0));
      window.addEventListener("offline", () => this.drop());
    }

    open() {
      if (this.wanted) return;
      this.wanted = true;
      this.connect();
    }

    async connect() {
      this.timer = null;
      this.listener.state("connecting");
      let answer;
      try {
        answer = await fetch(`${base}/webchat/${encodeURIComponent(channel)}/ticket`, {
          method: "POST",
          credentials: "omit",
          body: JSON.stringify({ visitor: forGood.get("visitor") || null }),
        });
      } catch {
        return this.retry();
      }
      if (answer.status === 403 || answer.status === 404) return this.listener.state("refused");
      if (!answer.ok) return this.retry(Number(answer.headers.get("Retry-After")) || undefined);
      const { visitor, ticket } = await answer.json();
      forGood.set("visitor", visitor);
      const socket = new WebSocket(`${base.replace(/^http/, "ws")}/webchat/${encodeURIComponent(channel)}/socket`);
      this.socket = socket;
      socket.onopen = () => socket.send(JSON.stringify({ type: "hello", ticket, after: this.last }));
      socket.onmessage = (event) => this.socket === socket && this.read(JSON.parse(event.data));
      socket.onclose = () => this.socket === socket && this.drop();
    }

    drop() {
      const socket = this.socket;
      this.socket = null;
      this.ready = false;
      this.inFlight = null;
      clearTimeout(this.ackTimer);
      if (socket) socket.close();
      this.retry();
    }

    retry(inS) {
      if (!this.wanted || this.socket) return;
      this.listener.state("offline");
      clearTimeout(this.timer);
      const backOff = Math.min(30, 2 ** this.tries) * (0.5 + Math.random() / 2);
      this.tries = Math.min(this.tries + 1, 6);
      this.timer = setTimeout(() => this.connect(), 1000 * (inS ?? backOff));
    }

    read(frame) {
      if (frame.type === "ready") this.start(frame);
      else if (frame.type === "message") this.message(frame);
      else if (frame.type === "ack") this.acknowledged(frame.id);
      else if (frame.type === "typing") this.listener.typing(frame.who, frame.for_s);
      else if (frame.type === "reconnect") this.away(frame.in_s);
      else if (frame.type === "error") this.refused(frame);
    }

    start(frame) {
      this.tries = 0;
      this.ready = true;
      if (frame.after !== this.last) {
        this.listener.clear();
        this.last = frame.after;
      }
      if (frame.last) for (const joined of this.unsent.filter(({ type }) => type === "joined")) this.forget(joined.id); // greeted already
      this.listener.state("online", frame.last);
      this.flush();
    }

    message(frame) {
      if (frame.number <= this.last) return;
      if (frame.after !== this.last) {
        this.tries = 0;
        return this.drop(); // something is missing: come back and read on from what we have
      }
      this.last = frame.number;
      if (frame.id) this.forget(frame.id);
      this.listener.message(frame);
    }

    acknowledged(id) {
      this.forget(id);
      if (this.inFlight === id) {
        this.inFlight = null;
        clearTimeout(this.ackTimer);
        this.flush();
      }
    }

    refused(frame) {
      const again = frame.code === "too_fast" || frame.code === "unavailable";
      this.inFlight = null;
      clearTimeout(this.ackTimer);
      if (!again && frame.id) {
        this.listener.failed(frame.id);
        this.forget(frame.id);
      }
      setTimeout(() => this.flush(), 1000 * (frame.retry_in_s || (again ? 2 : 0)));
    }

    away(inS) {
      const socket = this.socket;
      this.socket = null;
      this.ready = false;
      this.inFlight = null;
      clearTimeout(this.ackTimer);
      socket.close();
      this.retry(inS);
    }

    /* One at a time, so that what is sent again after a drop keeps its order. */
    send(frame) {
      this.unsent.push(frame);
      forThisTab.set("unsent", this.unsent);
      this.flush();
    }

    flush() {
      if (!this.ready || this.inFlight || !this.unsent.length) return;
      const frame = this.unsent[0];
      this.inFlight = frame.id;
      this.socket.send(JSON.stringify(frame));
      this.ackTimer = setTimeout(() => this.drop(), 15000);
    }

    /* Returns why a file was not taken, nothing if it was. */
    async sendFile(file, id) {
      const address = `${this.files}?id=${id}&name=${encodeURIComponent(file.name)}`;
      const headers = { "Content-Type": "application/octet-stream", "X-Parley-Visitor": forGood.get("visitor") || "" };
      const answer = await fetch(address, { method: "POST", credentials: "omit", headers, body: file }).catch(() => null);
      if (answer?.ok) return "";
      return (await answer?.json().catch(() => null))?.error?.code || "not_sent";
    }

    async fetchFile(id) {
      const headers = { "X-Parley-Visitor": forGood.get("visitor") || "" };
      const answer = await fetch(`${this.files}/${encodeURIComponent(id)}`, { credentials: "omit", headers }).catch(() => null);
      return answer?.ok ? answer.blob() : null;
    }

    forget(id) {
      this.unsent = this.unsent.filter((frame) => frame.id !== id);
      forThisTab.set("unsent", this.unsent);
    }

    /* What nobody misses if it is lost. */
    mention(frame) {
      if (this.ready && !this.inFlight) this.socket.send(JSON.stringify(frame));
    }
  }

  // ── The window ───────────────────────────────────────────────────────────────────────────────────────────────────

  class Chat {
    constructor() {
      this.line = new Line(this);
      this.unread = 0;
      this.shown = false;
      this.build();
      for (const frame of this.line.unsent) this.pending(frame);
      if (forThisTab.get("open")) this.show(false);
      else if (forGood.get("visitor") && forGood.get("spoke")) this.line.open();
    }

    build() {
      this.host = element("parley-chat");
      const root = this.host.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      this.badge = element("span", { class: "badge", hidden: true });
      this.launcher = element(
        "button", { class: "launcher", type: "button", "aria-label": words.open, "aria-expanded": "false", onclick: () => this.show(true) },
        icon("M12 3c5 0 9 3.4 9 7.7s-4 7.7-9 7.7c-1 0-2-.1-2.9-.4L4.5 21l.8-4.2C3.9 15.3 3 13.1 3 10.7 3 6.4 7 3 12 3Z"), this.badge,
      );
      this.log = element("ol", { class: "log", role: "log", "aria-label": words.log, "aria-live": "polite", tabindex: "0" });
      this.waiting = element("ol", { class: "log waiting", "aria-label": words.waiting });
      this.dots = element("p", { class: "typing", hidden: true, role: "status" });
      this.thread = element("div", { class: "thread" }, this.log, this.waiting, this.dots);
      this.status = element("span", { class: "status", role: "status" });
      this.notice = element("p", { class: "notice", hidden: true, role: "status" });
      this.input = element("textarea", {
        rows: "1", maxlength: "4000", dir: "auto", placeholder: words.write, "aria-label": words.write, enterkeyhint: "send",
        oninput: () => this.typed(), onkeydown: (event) => this.key(event),
      });
      this.sender = element(
        "button", { class: "send", type: "submit", "aria-label": words.send, disabled: true }, icon("M4 12 3 4.5 21 12 3 19.5 4 12Zm0 0h8"),
      );
      this.picker = element("input", { type: "file", hidden: true, onchange: () => this.sendFiles(this.picker.files) });
      this.attacher = element(
        "button", { class: "attach", type: "button", "aria-label": words.attach, onclick: () => this.picker.click() },
        icon("M20 11.5 11.8 19.7a5 5 0 0 1-7.1-7.1l8.6-8.6a3.3 3.3 0 0 1 4.7 4.7l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4l7.8-7.8"),
      );
      const closer = element(
        "button", { class: "close", type: "button", "aria-label": words.close, onclick: () => this.hide() }, icon("M6 6l12 12M18 6 6 18"),
      );
      const title = script.dataset.title || words.title;
      this.panel = element(
        "section", {
          class: "panel", role: "dialog", "aria-label": title, hidden: true, onkeydown: (event) => this.panelKey(event),
          ondragover: (event) => event.preventDefault(), ondrop: (event) => this.dropped(event),
        },
        element("header", {}, element("div", {}, element("h2", {}, element("bdi", {}, title)), this.status), closer),
        this.notice, this.thread,
        element("form", { onsubmit: (event) => this.submit(event) }, this.picker, this.attacher, this.input, this.sender),
      );
      root.append(this.launcher, this.panel);
      this.host.dir = getComputedStyle(document.documentElement).direction;
      document.body.append(this.host);
      this.paint();
    }

    /* The site's own colour, with whichever of black and white reads better on it. */
    paint() {
      const accent = script.dataset.accent;
      if (!accent || !CSS.supports("color", accent)) return;
      this.host.style.setProperty("--accent", accent);
      this.launcher.style.color = accent;
      const channels = (getComputedStyle(this.launcher).color.match(/[\d.]+/g) || [0, 0, 0]).slice(0, 3).map(Number);
      this.launcher.style.color = "";
      const [r, g, b] = channels.map((value) => (value / 255 <= 0.04 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4));
      this.host.style.setProperty("--on-accent", 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff");
    }

    // Opening and closing

    show(focus) {
      this.shown = true;
      forThisTab.set("open", true);
      this.panel.hidden = false;
      this.launcher.hidden = true;
      this.launcher.setAttribute("aria-expanded", "true");
      this.count(0);
      this.line.open();
      this.greet();
      this.toEnd();
      if (focus) this.input.focus();
      this.reportRead();
    }

    hide() {
      this.shown = false;
      forThisTab.set("open", false);
      this.panel.hidden = true;
      this.launcher.hidden = false;
      this.launcher.setAttribute("aria-expanded", "false");
      this.launcher.focus();
    }

    panelKey(event) {
      if (event.key === "Escape") return this.hide();
      if (event.key !== "Tab" || this.panel.offsetWidth < window.innerWidth) return undefined;
      const stops = [...this.panel.querySelectorAll("button:not(:disabled), textarea, [tabindex='0']")];
      const active = this.host.shadowRoot.activeElement;
      const edge = event.shiftKey ? stops[0] : stops.at(-1);
      if (active === edge) {
        event.preventDefault();
        (event.shiftKey ? stops.at(-1) : stops[0]).focus();
      }
      return undefined;
    }

    count(unread) {
      this.unread = unread;
      this.badge.hidden = !unread;
      this.badge.textContent = unread > 9 ? "9+" : String(unread);
      this.launcher.setAttribute("aria-label", unread ? `${words.open}, ${unread} ${words.unread}` : words.open);
    }

    // Writing

    key(event) {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.submit(event);
    }

    typed() {
      this.sender.disabled = !this.input.value.trim();
      this.input.style.height = "auto";
      this.input.style.height = `${Math.min(this.input.scrollHeight, 120)}px`;
      if (this.input.value && Date.now() - (this.typedAt || 0) > 3000) {
        this.typedAt = Date.now();
        this.line.mention({ type: "typing" });
      }
    }

    submit(event) {
      event.preventDefault();
      const text = this.input.value.trim();
      if (!text) return;
      this.input.value = "";
      this.typed();
      this.typedAt = 0;
      this.say({ type: "message", id: newId(), text, language });
      this.input.focus();
    }

    dropped(event) {
      event.preventDefault();
      this.sendFiles(event.dataTransfer.files);
    }

    /* A file goes by a request of its own; it is shown when it comes back as a message, like everything else. */
    async sendFiles(files) {
      for (const file of [...files]) {
        const id = newId();
        forGood.set("spoke", true);
        const note = element("small", {}, words.sending);
        const item = element("li", { class: "customer", "data-id": id }, element("p", { class: "bubble", dir: "auto" }, file.name), note);
        this.waiting.append(item);
        this.toEnd();
        const problem = file.size > FILE_BYTES_MAX ? "too_large" : await this.line.sendFile(file, id);
        if (problem) {
          item.classList.add("failed");
          note.textContent = words[problem] || words.not_sent;
        } else item.remove();
      }
      this.picker.value = "";
    }

    choose(choice, button) {
      button.classList.add("chosen");
      this.say({ type: "choice", id: newId(), token: choice.token, label: choice.label, language });
      this.input.focus();
    }

    say(frame) {
      forGood.set("spoke", true);
      this.useUpChoices();
      this.pending(frame);
      this.line.send(frame);
      this.toEnd();
    }

    greet() {
      if (this.asked || this.newest !== 0 || !this.shown) return;
      this.asked = true;
      this.line.send({ type: "joined", id: newId(), language });
    }

    pending(frame) {
      const text = frame.type === "choice" ? frame.label : frame.text;
      if (text == null) return;
      this.waiting.append(
        element("li", { class: "customer", "data-id": frame.id }, element("p", { class: "bubble", dir: "auto" }, text), element("small", {}, words.waiting)),
      );
    }

    // What the line tells

    state(state, newest) {
      this.host.dataset.state = state;
      this.status.textContent = { online: words.online, connecting: words.connecting, offline: words.connecting, refused: "" }[state];
      if (state === "online") {
        clearTimeout(this.noticeTimer);
        this.noticeTimer = null;
        this.notice.hidden = true;
        this.newest = newest;
        this.log.setAttribute("aria-busy", String(newest > this.line.last));
        this.greet();
      } else if (state === "refused") {
        this.tell(words.unavailable);
      } else if (state === "offline") {
        this.noticeTimer ??= setTimeout(() => this.tell(words.offline), navigator.onLine ? 2500 : 0);
      }
    }

    tell(text) {
      this.notice.textContent = text;
      this.notice.hidden = false;
    }

    clear() {
      this.log.replaceChildren();
    }

    message(frame) {
      const own = frame.direction === "inbound";
      const who = own ? words.you : frame.author === "agent" ? words.agent : words.bot;
      const at = new Date(frame.at);
      const item = element("li", { class: own ? "customer" : frame.author === "agent" ? "agent" : "bot", "data-number": frame.number });
      const before = this.log.lastElementChild;
      if (before && before.className === item.className) before.classList.add("more");
      item.append(element("span", { class: "who" }, who));
      if (frame.text || !frame.files) item.append(element("p", { class: "bubble", dir: "auto" }, frame.text));
      for (const file of frame.files || []) item.append(this.file(file));
      if (own) {
        this.useUpChoices();
        this.waiting.querySelector(`[data-id="${CSS.escape(frame.id || "")}"]`)?.remove();
      } else if (frame.choices) {
        item.append(this.choices(frame.choices));
      }
      item.append(element("time", { datetime: at.toISOString() }, at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false })));
      this.log.append(item);
      if (!own) this.dots.hidden = true;
      if (frame.number >= this.newest) {
        const fresh = frame.number > this.newest;
        this.newest = frame.number;
        this.log.setAttribute("aria-busy", "false");
        if (fresh && !own && !this.shown) this.count(this.unread + 1);
      }
      this.toEnd();
      this.reportRead();
    }

    /* Files are fetched with the visitor's token; a picture becomes a data: address, which more pages allow than any other. */
    file(file) {
      const box = element("p", { class: "file", dir: "auto" });
      const name = file.name || words.picture;
      const saver = element("button", { type: "button", "aria-label": `${words.save}: ${name}`, onclick: () => this.saveFile(file, name) }, name);
      box.append(saver);
      if (file.shown === "image") this.showPicture(box, file, name);
      return box;
    }

    async showPicture(box, file, name) {
      const content = await this.line.fetchFile(file.id);
      if (!content) return;
      const reader = new FileReader();
      reader.onload = () => {
        const picture = element("img", { src: reader.result, alt: name });
        picture.onload = () => {
          box.prepend(picture);
          box.classList.add("shown");
          this.toEnd();
        };
      };
      reader.readAsDataURL(content);
    }

    async saveFile(file, name) {
      const content = await this.line.fetchFile(file.id);
      if (!content) return;
      const address = URL.createObjectURL(content);
      element("a", { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60000);
    }

    choices(choices) {
      const group = element("div", { class: "choices", role: "group", "aria-label": words.choices });
      for (const choice of choices) {
        const button = element("button", { type: "button", dir: "auto", onclick: () => this.choose(choice, button) }, choice.label);
        group.append(button);
      }
      return group;
    }

    useUpChoices() {
      for (const button of this.log.querySelectorAll(".choices button:not(:disabled)")) button.disabled = true;
    }

    failed(id) {
      const item = this.waiting.querySelector(`[data-id="${CSS.escape(id)}"]`);
      if (item) {
        item.classList.add("failed");
        item.querySelector("small").textContent = words.failed;
      }
    }

    typing(who, forS) {
      clearTimeout(this.dotsTimer);
      const name = who === "agent" ? words.agent : words.bot;
      this.dots.replaceChildren(element("i"), element("i"), element("i"), element("span", {}, `${name} ${words.typing}`));
      this.dots.hidden = !forS;
      if (forS) this.dotsTimer = setTimeout(() => (this.dots.hidden = true), 1000 * forS);
      this.toEnd();
    }

    reportRead() {
      clearTimeout(this.readTimer);
      this.readTimer = setTimeout(() => {
        const seen = this.log.querySelector("li:not(.customer):last-of-type")?.dataset.number;
        if (!seen || !this.shown || document.hidden || seen === this.reported) return;
        this.reported = seen;
        this.line.mention({ type: "read", up_to: Number(seen) });
      }, 600);
    }

    toEnd() {
      this.thread.scrollTop = this.thread.scrollHeight;
    }
  }

  const STYLE = `
:host {
  all: initial !important; color-scheme: inherit !important; direction: inherit !important; /* in a shadow, the inner !important wins */
  --accent: #0b6152; --on-accent: #fff; --surface: #fffefb; --canvas: #f6f4ee; --line: #e0dbcf; --ink: #1a211f; --ink-2: #5a645f;
  --mine: #ebe7dc; --bot: #dcede7; --on-bot: #0c332b; --edge: #8a8677; --bad: #ad2a20; --notice: #faedc8; --on-notice: #5f3f00;
  --shadow: 0 2px 6px rgb(43 38 24 / 12%), 0 14px 40px rgb(43 38 24 / 20%);
  font: 15px/1.45 -apple-system, BlinkMacSystemFont, "Segoe UI", Inter, Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif !important;
  color: var(--ink) !important; position: fixed !important; inset-block-end: 0 !important; inset-inline-end: 0 !important;
  z-index: 2147483000 !important;
}
@supports (color: light-dark(#000, #fff)) {
  :host {
    --surface: light-dark(#fffefb, #181e1c); --canvas: light-dark(#f6f4ee, #121716); --line: light-dark(#e0dbcf, #2b3431);
    --ink: light-dark(#1a211f, #edf1ee); --ink-2: light-dark(#5a645f, #a5b0aa); --mine: light-dark(#ebe7dc, #2a3330);
    --bot: light-dark(#dcede7, #17362f); --on-bot: light-dark(#0c332b, #d6f2e8); --edge: light-dark(#8a8677, #707d77);
    --bad: light-dark(#ad2a20, #f59b91); --notice: light-dark(#faedc8, #392c0d); --on-notice: light-dark(#5f3f00, #e6be62);
  }
}
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
button, textarea { font: inherit; color: inherit; }
button { cursor: pointer; }
button:disabled { cursor: default; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
svg { width: 24px; height: 24px; fill: none; stroke: currentcolor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.launcher {
  position: absolute; inset-block-end: 20px; inset-inline-end: 20px; width: 58px; height: 58px; border: 0; border-radius: 50%;
  background: var(--accent); color: var(--on-accent); box-shadow: var(--shadow); display: grid; place-items: center;
  transition: transform 140ms cubic-bezier(.2, 0, 0, 1);
}
.launcher:hover { transform: scale(1.05); }
.launcher:focus-visible { outline-offset: 3px; }
.badge {
  position: absolute; inset-block-start: -3px; inset-inline-end: -3px; min-width: 22px; height: 22px; padding: 0 6px; border-radius: 11px;
  background: #c0341d; color: #fff; font-size: 12px; font-weight: 700; line-height: 22px; text-align: center;
}
.panel {
  position: absolute; inset-block-end: 20px; inset-inline-end: 20px; width: 380px; height: min(640px, calc(100dvh - 40px));
  display: flex; flex-direction: column; overflow: hidden; border: 1px solid var(--line); border-radius: 18px;
  background: var(--canvas); box-shadow: var(--shadow); animation: arrive 180ms cubic-bezier(.2, 0, 0, 1);
}
@keyframes arrive { from { opacity: 0; transform: translateY(12px); } }
header { display: flex; align-items: center; gap: 12px; padding: 12px 10px 12px 16px; background: var(--accent); color: var(--on-accent); }
:host([dir="rtl"]) header { padding: 12px 16px 12px 10px; }
header div { flex: 1; min-width: 0; }
h2 { margin: 0; font-size: 16px; font-weight: 650; line-height: 1.25; overflow-wrap: anywhere; }
.status { display: flex; align-items: center; gap: 6px; min-height: 18px; font-size: 12.5px; }
.status:not(:empty)::before { content: ""; width: 8px; height: 8px; border-radius: 50%; border: 2px solid currentcolor; }
:host([data-state="online"]) .status::before { background: currentcolor; }
.close { display: grid; place-items: center; width: 40px; height: 40px; padding: 0; border: 0; border-radius: 10px; background: none; }
.close:hover { background: rgb(127 127 127 / 25%); }
header :focus-visible { outline-color: currentcolor; outline-offset: -3px; }
.close svg { width: 20px; height: 20px; }
.notice { margin: 0; padding: 8px 16px; background: var(--notice); color: var(--on-notice); font-size: 13px; }
.thread { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px; display: flex; flex-direction: column; }
.log { display: flex; flex-direction: column; margin: 0; padding: 0; list-style: none; border-radius: 8px; }
.log:first-child { margin-block-start: auto; }
li { display: flex; flex-direction: column; align-items: flex-start; margin-block-start: 14px; }
li:first-child { margin-block-start: 0; }
.waiting li { margin-block-start: 6px; }
li.more time { display: none; }
li.more + li { margin-block-start: 5px; }
li.more + li .who { display: none; }
.who, time, small { color: var(--ink-2); font-size: 12px; }
.who { margin-block-end: 3px; }
time, small { margin-block-start: 3px; }
.bubble {
  max-width: 88%; margin: 0; padding: 9px 13px; border-radius: 16px; border-end-start-radius: 5px; background: var(--bot); color: var(--on-bot);
  white-space: pre-wrap; overflow-wrap: anywhere; animation: arrive 160ms cubic-bezier(.2, 0, 0, 1);
}
.agent .bubble { background: var(--surface); color: var(--ink); box-shadow: inset 0 0 0 1.5px var(--accent); }
.customer { align-items: flex-end; }
.customer .who { display: none; }
.customer .bubble { border-radius: 16px; border-end-end-radius: 5px; background: var(--mine); color: var(--ink); }
.waiting .bubble { opacity: .65; }
.failed small { color: var(--bad); font-weight: 600; }
.choices { display: flex; flex-wrap: wrap; gap: 7px; margin-block-start: 8px; }
.choices button {
  min-height: 36px; padding: 6px 14px; border: 1.5px solid var(--edge); border-radius: 18px; background: var(--surface); font-weight: 600;
  font-size: 14px; text-align: start; transition: background 140ms, border-color 140ms;
}
.choices button:hover:not(:disabled) { border-color: var(--accent); background: var(--bot); color: var(--on-bot); }
.choices button:disabled { border-color: var(--line); background: none; color: var(--ink-2); font-weight: 500; }
.choices button.chosen { border-color: var(--accent); color: var(--ink); }
.typing { display: flex; align-items: center; gap: 4px; margin: 12px 0 0; color: var(--ink-2); font-size: 12.5px; }
.typing i { width: 6px; height: 6px; border-radius: 50%; background: currentcolor; animation: pulse 1.1s infinite; }
.typing i:nth-child(2) { animation-delay: .15s; }
.typing i:nth-child(3) { animation-delay: .3s; }
.typing span { margin-inline-start: 5px; }
@keyframes pulse { 0%, 60%, 100% { opacity: .3; } 30% { opacity: 1; } }
form { display: flex; align-items: flex-end; gap: 8px; padding: 10px; border-block-start: 1px solid var(--line); background: var(--surface); }
textarea {
  flex: 1; min-width: 0; min-height: 42px; max-height: 120px; padding: 9px 14px; resize: none; border: 1px solid var(--edge); border-radius: 21px;
  background: var(--canvas); line-height: 1.45; font-size: 16px; /* below 16 px phones zoom in */
}
textarea:focus-visible { outline-offset: -2px; }
textarea::placeholder { color: var(--ink-2); opacity: 1; }
.attach { display: grid; place-items: center; flex: none; width: 42px; height: 42px; padding: 0; border: 0; border-radius: 50%; background: none; color: var(--ink-2); }
.attach:hover { background: rgb(127 127 127 / 18%); }
.attach svg { width: 20px; height: 20px; }
.file { display: flex; flex-direction: column; gap: 4px; max-width: 88%; margin: 0; }
.file img { display: block; max-width: 100%; max-height: 220px; border: 1px solid var(--line); border-radius: 12px; object-fit: contain; }
.file button {
  min-height: 36px; padding: 6px 14px; border: 1px solid var(--edge); border-radius: 12px; background: var(--surface); font-weight: 600; font-size: 14px;
  text-align: start; overflow-wrap: anywhere;
}
.file.shown button { min-height: 28px; padding: 2px 8px; border-color: transparent; background: none; color: var(--ink-2); font-size: 12px; font-weight: 500; }
.send { display: grid; place-items: center; flex: none; width: 42px; height: 42px; padding: 0; border: 0; border-radius: 50%; background: var(--accent); color: var(--on-accent); }
.send svg { width: 20px; height: 20px; }
.send:disabled { background: var(--line); color: var(--ink-2); }
:host([dir="rtl"]) .send svg { transform: scaleX(-1); }
@media (max-width: 480px), (max-height: 420px) {
  .panel { position: fixed; inset: 0; width: auto; height: 100dvh; border: 0; border-radius: 0; }
  form { padding-block-end: max(10px, env(safe-area-inset-bottom)); }
}
@media (prefers-reduced-motion: reduce) { *, *::before { animation: none !important; transition: none !important; } }
@media (forced-colors: active) { .bubble, .badge, .launcher, .send { border: 1px solid; } }
@media print { :host { display: none !important; } }
`;

  if (document.body) new Chat();
  else document.addEventListener("DOMContentLoaded", () => new Chat());
})();
