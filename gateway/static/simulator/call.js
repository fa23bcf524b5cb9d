/* A call, from the phone or to it: what is said as subtitles, keys and words in answer, the time that silence may last, and an agent's phone where one is dialled. */

import { TROUBLE, all, ask, find, node } from "./wire.js";

const WORDS_PER_S = 3;
const LONGEST_SPEECH_S = 25;
const STATES = { rings: "Incoming call", speaking: "Speaking", gather: "Listening", record: "Recording", dial: "Ringing an agent", whisper: "The agent hears what it is about", queue: "In the queue", talk: "Talking with the agent", ended: "Call ended" };
const OVER = { call: "", state: "ended", heard: [], listen: null, agent: null, error: "" };
const AGENT_ACTS = { ringing: ["answer", "busy", "no-answer"], queue: ["answer"], talk: ["hang-up"] };

export class Call {
  constructor(phone) {
    this.phone = phone;
    this.screen = find("#call");
    this.id = "";
    this.voice = false;
    this.queue = Promise.resolve();
    for (const key of all("[data-tone]")) key.addEventListener("click", () => this.key(key.dataset.tone));
    this.screen.addEventListener("keydown", (event) => {
      if (event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
      if (/^[0-9*#]$/.test(event.key)) this.key(event.key);
    });
    find("#say-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = find("#say").value.trim();
      find("#say").value = "";
      if (text) this.say(text);
    });
    for (const button of all("[data-ringing]")) button.addEventListener("click", () => this.pickUp(button.dataset.ringing));
    for (const button of all("[data-agent]")) button.addEventListener("click", () => this.act({ agent: button.dataset.agent }));
    find("[data-agent-key]").addEventListener("click", () => this.act({ key: "1", on: "agent" }));
    find("[data-agent-wait]").addEventListener("click", () => this.act({ wait: true, on: "agent" }));
    find("#call-record").addEventListener("click", () => this.act({ recorded: this.recordedS() }));
    find("#call-end").addEventListener("click", () => (this.id ? this.hangUp() : this.close()));
    find("#call-drop").addEventListener("click", () => this.drop());
    find("#call-voice").addEventListener("click", () => this.turnVoice());
    window.addEventListener("pagehide", () => this.hangUp({ keepalive: true }));
  }

  async start(number) {
    this.begin(number, "Ringing");
    await this.ask("call", { msisdn: this.phone.number, number });
  }

  begin(number, state) {
    find("#subtitles").replaceChildren();
    find("#call-number").textContent = number;
    this.screen.hidden = false;
    this.screen.dataset.state = "ringing";
    find("#call-state").textContent = state;
    this.screen.focus();
  }

  /* What becomes of the ringing is this phone's own doing now, so that it is no missed call. */
  pickUp(how) {
    find("#incoming").hidden = true;
    this.act({ ringing: how });
  }

  /* Somebody calls this phone, or has stopped to. */
  rings({ msisdn, call, number, ring_s, rings }) {
    if (msisdn !== this.phone.number) return;
    if (!rings) {
      if (this.id === call && !find("#incoming").hidden) {
        this.line("sound", "Missed call");
        this.show(OVER);
      }
      return;
    }
    if (this.id) return;
    this.phone.open("dialler");
    this.begin(number, "Incoming call");
    this.id = call;
    this.show({ ...OVER, call, state: "rings", listen: { input: "", timeout_s: ring_s } });
    find('[data-ringing="answer"]').focus();
  }

  /* What rang before the page was there, or before it was this phone's. */
  async load() {
    const answer = await fetch(`/simulator/api/ringing?msisdn=${encodeURIComponent(this.phone.number)}`);
    const call = answer.ok ? await answer.json() : null;
    if (call) this.rings(call);
  }

  /* Somebody else has changed this call: an agent at the desk took it out of the queue, or ended it. */
  moved({ call, ended }) {
    if (this.id !== call) return;
    if (ended) this.show(OVER);
    else this.act({ look: true });
  }

  key(key) {
    if (!this.id || (this.speaking && this.shown.listen && !this.shown.listen.barge_in)) return;
    this.line("you key", key);
    this.act({ key });
  }

  say(text) {
    this.line("you", text);
    this.act({ say: text });
  }

  /* One after the other, as fingers and ears are. */
  act(what) {
    if (!this.id) return;
    this.still();
    const path = `call/${this.id}`;
    this.queue = this.queue.then(() => this.ask(path, what));
  }

  async ask(path, body) {
    const asked = (this.asked = {});
    try {
      const shown = await ask(path, body);
      if (this.asked === asked || this.id) this.show(shown);
    } catch {
      this.line("error", TROUBLE);
      this.show(OVER);
    }
  }

  show(shown) {
    this.shown = shown;
    this.id = shown.state === "ended" ? "" : shown.call;
    this.screen.dataset.state = shown.state;
    for (const said of shown.heard) this.subtitle(said);
    if (shown.error) this.line("error", `The provider reports error ${shown.error}`);
    this.showAgent(shown);
    find("#call-record").hidden = shown.state !== "record";
    const rings = shown.state === "rings";
    find("#incoming").hidden = !rings;
    find("#call-drop").hidden = !this.id || rings;
    find("#call-end").hidden = rings;
    find("#call-end").textContent = this.id ? "Hang up" : "Close";
    find("#call-end").classList.toggle("bad", Boolean(this.id));
    const hears = shown.listen?.input.includes("speech") && shown.state === "gather";
    find("#say").disabled = find("#say-send").disabled = !hears;
    find("#say").placeholder = hears ? "Say something" : "Keys only";
    find("#subtitles").scrollTop = find("#subtitles").scrollHeight; // what is below may have grown
    this.speak([...shown.heard, ...(shown.agent?.heard ?? [])]);
  }

  subtitle({ say, play, pause, language }) {
    if (say !== undefined) this.line("said", say).lang = language;
    else this.line("sound", play ? `♪ ${play}` : `(${pause} s of silence)`);
  }

  line(kind, text) {
    const item = node("li", kind, text);
    item.dir = "auto";
    find("#subtitles").append(item);
    find("#subtitles").scrollTop = find("#subtitles").scrollHeight;
    return item;
  }

  // Time: first what is said passes, then the silence that the call allows

  speak(heard) {
    const seconds = heard.reduce((sum, { say, pause }) => sum + (say === undefined ? (pause ?? 2) : say.split(/\s+/).length / WORDS_PER_S), 0);
    this.speaking = seconds > 0;
    find("#call-state").textContent = STATES[this.speaking && this.id ? "speaking" : this.shown.state];
    if (this.voice && "speechSynthesis" in window) {
      for (const { say, language } of heard.filter((said) => said.say)) {
        const words = new SpeechSynthesisUtterance(say);
        words.lang = language || "en";
        speechSynthesis.speak(words);
      }
    }
    this.countDown(0, 0);
    if (this.id) this.timer = setTimeout(() => this.spoken(), Math.min(seconds, LONGEST_SPEECH_S) * 1000);
  }

  spoken() {
    this.speaking = false;
    const { state, listen, agent } = this.shown;
    find("#call-state").textContent = STATES[agent?.state === "gather" ? "whisper" : state];
    if (state === "rings") this.countDown(listen.timeout_s, Date.now(), () => {});
    if (state === "speaking") this.act({ wait: true });
    if (state === "queue" && this.shown.heard.length && !listen) this.act({ wait: true });
    if (state === "gather" || (state === "queue" && listen) || agent?.state === "ringing") this.countDown(listen.timeout_s, Date.now(), () => this.act({ wait: true }));
    if (agent?.state === "gather") this.countDown(agent.listen.timeout_s, Date.now(), () => this.act({ wait: true, on: "agent" }));
    if (state === "record") {
      this.recordingSince = Date.now();
      this.countDown(listen.max_s, Date.now(), () => this.act({ recorded: listen.max_s }));
    }
  }

  recordedS() {
    return this.recordingSince ? Math.max(1, Math.round((Date.now() - this.recordingSince) / 1000)) : 1;
  }

  countDown(seconds, since, over) {
    clearTimeout(this.timer);
    const left = seconds ? 1 - (Date.now() - since) / (seconds * 1000) : 0;
    find("#call-left").style.transform = `scaleX(${Math.max(0, left)})`;
    if (!seconds || !this.id) return;
    if (left <= 0) over();
    else this.timer = setTimeout(() => this.countDown(seconds, since, over), 100);
  }

  still() {
    clearTimeout(this.timer);
    if ("speechSynthesis" in window) speechSynthesis.cancel();
  }

  turnVoice() {
    this.voice = !this.voice;
    find("#call-voice").setAttribute("aria-pressed", String(this.voice));
    find("#call-voice").textContent = this.voice ? "Sound on" : "Sound off";
    if (!this.voice) this.still();
  }

  // An agent's phone

  showAgent({ state, agent, queue }) {
    const panel = find("#agent-phone");
    panel.hidden = !agent && state !== "queue" && state !== "talk";
    find("#keypad").hidden = (!panel.hidden && state !== "queue") || state === "rings";
    find("#say-form").hidden = !panel.hidden || state === "rings";
    find("#agent-number").textContent = agent ? `${agent.number} ${agent.state === "ringing" ? "rings" : ""}` : state === "queue" ? `can take the next caller of the queue “${queue}”, or an agent claims the work at the desk.` : "";
    find('[data-agent="answer"]').textContent = state === "queue" ? "Take the caller" : "Answer";
    for (const { say } of agent?.heard ?? []) if (say) find("#agent-heard").textContent = say;
    if (!agent || agent.state === "ringing") find("#agent-heard").textContent = "";
    const asked = agent?.state === "gather";
    const acts = AGENT_ACTS[state === "talk" || state === "queue" ? state : agent?.state] ?? [];
    for (const button of all("[data-agent]")) button.hidden = !acts.includes(button.dataset.agent);
    find("[data-agent-key]").hidden = find("[data-agent-wait]").hidden = !asked;
  }

  // The end

  end(body, options) {
    const id = this.id;
    this.still();
    this.id = "";
    this.asked = null;
    if (id) ask(`call/${id}/end`, body, options).catch((error) => console.warn("the call had ended", error));
    if (id && !options) this.show(OVER);
  }

  hangUp(options) {
    this.end(this.screen.dataset.state === "record" ? { recorded: this.recordedS() } : {}, options);
  }

  /* The page shows another phone: this one goes on ringing, but nobody talks on it any more. */
  leave() {
    if (find("#incoming").hidden) this.hangUp();
    else {
      this.still();
      this.id = "";
      find("#incoming").hidden = true;
    }
    this.screen.hidden = true;
  }

  drop() {
    this.line("error", "The network is gone.");
    this.end({ drop: true });
  }

  close() {
    this.screen.hidden = true;
    find("#dialled").focus();
  }
}
