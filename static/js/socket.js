// The battle's socket: opened when it is needed, opened again with growing pauses when it is lost.

const PAUSES_MS = [250, 500, 1000, 2000, 4000, 8000];

export class BattleSocket {
  #socket = null;
  #waiting = [];
  #tries = 0;
  #wanted = false;

  /** `onFrame(frame)`, `onOpen()` after each reconnect, `onLost()` when the line breaks. */
  constructor({ onFrame, onReopen, onLost }) {
    Object.assign(this, { onFrame, onReopen, onLost });
  }

  send(frame) {
    const text = JSON.stringify(frame);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
    else {
      this.#waiting.push(text);
      this.open();
    }
  }

  open() {
    this.#wanted = true;
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/battle/`, "lehia.v1");
    this.#socket = socket;
    socket.addEventListener("open", () => {
      if (this.#tries > 0) this.onReopen();
      this.#tries = 0;
      for (const text of this.#waiting.splice(0)) socket.send(text);
    });
    socket.addEventListener("message", (event) => this.onFrame(JSON.parse(event.data)));
    socket.addEventListener("close", () => {
      if (!this.#wanted || this.#socket !== socket) return;
      this.onLost();
      setTimeout(() => this.open(), PAUSES_MS[Math.min(this.#tries++, PAUSES_MS.length - 1)]);
    });
  }

  close() {
    this.#wanted = false;
    this.#socket?.close();
    this.#socket = null;
  }
}
