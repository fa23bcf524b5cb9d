/* Shows the page around this frame what the chat sends and gets. It must run before the chat's own script, and changes nothing. */
(() => {
  "use strict";

  if (window.parent === window) return;

  function tell(request, answer) {
    window.parent.postMessage({ what: "chat", phone: "", at: Date.now(), request, answer }, location.origin);
  }

  const askFor = window.fetch;
  window.fetch = async (url, options = {}) => {
    const answer = await askFor(url, options);
    const body = await answer.clone().text();
    tell(`${options.method || "GET"} ${new URL(url, location.href).pathname}\nOrigin: ${location.origin}\n\n${options.body || ""}`,
      `HTTP/1.1 ${answer.status} ${answer.statusText}\nContent-Type: ${answer.headers.get("Content-Type")}\n\n${body}`);
    return answer;
  };

  window.WebSocket = class extends WebSocket {
    constructor(url) {
      super(url);
      tell(`GET ${new URL(url).pathname}\nOrigin: ${location.origin}\nUpgrade: websocket`, "");
      this.addEventListener("message", (event) => tell("", event.data));
      this.addEventListener("close", (event) => tell("", `closed with code ${event.code}`));
    }

    send(frame) {
      tell(frame, "");
      super.send(frame);
    }
  };
})();
