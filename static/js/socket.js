// The battle's line: a socket, opened when it is needed, and again with growing pauses when it is lost. Where none opens, plain requests carry the
// same frames.

import { EventLine } from "./events.js";

const PAUSES_MS = [250, 500, 1000, 2000, 4000, 8000];
const PATIENCE_MS = 4000;
// Logged out, banned, or another password; nothing was said for long; too many pages are open: only what somebody does opens it again.
const STAY_AWAY = [4403, 4408, 4429];
const OPEN = 1; // as in the standard: WebSocket itself may be gone

export class BattleSocket {
  #socket = null;
  #events = null;
  #waiting = [];
  #tries = 0;
  #wanted = false;
  #battle = "";

  /** `onFrame(frame)`, `onReopen()` after each reconnect, `onLost()` when the line breaks. */
  constructor({ onFrame, onReopen, onLost }) {
    Object.assign(this, { onFrame, onReopen, onLost });
  }

  send(frame) {
    if (frame.battle) this.#battle = frame.battle;
    if (this.#events) this.#events.send(frame, this.#battle);
    else if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(frame));
    else {
      this.#waiting.push(frame);
      this.open();
    }
  }

  open() {
    this.#wanted = true;
    if (this.#events || (this.#socket && this.#socket.readyState <= OPEN)) return;
    let socket;
    try {
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      socket = new WebSocket(`${scheme}://${location.host}/ws/battle/`, "lehia.v1");
    } catch {
      return this.#fallBack();
    }
    this.#socket = socket;
    this.#listen(socket);
  }

  close() {
    this.#wanted = false;
    this.#events?.close();
    this.#socket?.close();
    this.#events = this.#socket = null;
  }

  #listen(socket) {
    let opened = false;
    const patience = setTimeout(() => socket.close(), PATIENCE_MS); // something on the way may swallow it
    socket.addEventListener("open", () => {
      opened = true;
      clearTimeout(patience);
      this.#begin((frame) => socket.send(JSON.stringify(frame)));
    });
    socket.addEventListener("message", (event) => this.#take(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      clearTimeout(patience);
      if (STAY_AWAY.includes(event.code)) this.#wanted = false;
      if (!this.#wanted || this.#socket !== socket) return;
      if (opened) this.#lose();
      else this.#fallBack();
    });
  }

  #fallBack() {
    const line = new EventLine({ onFrame: (frame) => this.#take(frame), onLost: () => this.#lose() });
    this.#events = line;
    this.#begin((frame) => line.send(frame, this.#battle));
  }

  #begin(send) {
    const waiting = this.#waiting.splice(0);
    if (this.#tries > 0) this.onReopen();
    for (const frame of waiting) send(frame);
  }

  #take(frame) {
    this.#tries = 0;
    if (frame.battle) this.#battle = frame.battle;
    this.onFrame(frame);
  }

  #lose() {
    this.#events = null;
    if (!this.#wanted) return;
    this.onLost();
    setTimeout(() => this.open(), PAUSES_MS[Math.min(this.#tries++, PAUSES_MS.length - 1)]);
  }
}
