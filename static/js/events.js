// The battle's line where sockets are blocked: each frame of the page is a POST, and what it sets off comes back as server-sent events.

export class EventLine {
  #reading = null;

  /** `onFrame(frame)`; `onLost()` when a stream breaks off before its end. */
  constructor({ onFrame, onLost }) {
    Object.assign(this, { onFrame, onLost });
  }

  /** `battle` is the battle's id, empty before its first message. What a frame sets off takes the place of what was read before it. */
  async send(frame, battle) {
    const stop = new AbortController();
    if (frame.type !== "stop") {
      this.#reading?.abort();
      this.#reading = stop;
    }
    try {
      if (!(await this.#post(frame, battle, stop.signal))) throw new Error("the stream broke off");
    } catch {
      if (!stop.signal.aborted) this.onLost();
    }
  }

  close() {
    this.#reading?.abort();
  }

  /** Whether the stream came to its end. */
  async #post(frame, battle, signal) {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    const answer = await fetch(battle ? `/line/${battle}/` : "/line/", { method: "POST", body: JSON.stringify(frame), headers, signal });
    if (!answer.ok) return false;
    for await (const event of events(answer.body)) {
      if (event.startsWith("event: end")) return true;
      this.onFrame(JSON.parse(event.slice("data: ".length)));
    }
    return false;
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    yield* parts;
  }
}
