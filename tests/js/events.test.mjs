import assert from "node:assert/strict";
import test from "node:test";

import { EventLine } from "../../static/js/events.js";

const bytes = (text) => new TextEncoder().encode(text);
const cut = (text, size) => Array.from({ length: Math.ceil(bytes(text).length / size) }, (_, at) => bytes(text).slice(at * size, (at + 1) * size));
const END = "event: end\ndata:\n\n";

/** What a line says of an answer that comes in these pieces; `sent` are the requests. */
async function told(pieces, { ok = true, battle = "", frame = { type: "turn" } } = {}) {
  const [frames, sent] = [[], []];
  let lost = 0;
  globalThis.document = { querySelector: () => ({ value: "token" }) };
  globalThis.fetch = async (address, options) => {
    sent.push([address, options]);
    return { ok, body: ReadableStream.from(pieces) };
  };
  const line = new EventLine({ onFrame: (each) => frames.push(each), onLost: () => { lost += 1; } });
  await line.send(frame, battle);
  return { frames, sent, lost };
}

test("frames come whole however the bytes are cut", async () => {
  const text = 'data: {"type":"render","open":"ñabar 日"}\n\ndata: {"type":"done"}\n\n' + END;
  for (const size of [1, 2, 7, 1000]) {
    const { frames, lost } = await told(cut(text, size));
    assert.deepEqual(frames, [{ type: "render", open: "ñabar 日" }, { type: "done" }]);
    assert.equal(lost, 0);
  }
});

test("a stream without its end is lost, and so is one that was not given", async () => {
  assert.equal((await told([bytes('data: {"type":"state"}\n\n')])).lost, 1);
  assert.equal((await told([bytes(END)], { ok: false })).lost, 1);
});

test("a frame is about its battle, and carries the page's token", async () => {
  const { sent } = await told([bytes(END)], { battle: "x", frame: { type: "stop" } });
  assert.equal(sent[0][0], "/line/x/");
  assert.equal(sent[0][1].headers["X-CSRFToken"], "token");
  assert.equal(sent[0][1].body, '{"type":"stop"}');
  assert.equal((await told([bytes(END)])).sent[0][0], "/line/");
});

test("what comes after takes the place of what is being read, which is not lost; a stop does not", async () => {
  const [frames, signals] = [[], []];
  let lost = 0;
  globalThis.fetch = (_address, { signal }) => new Promise((_resolve, reject) => {
    signals.push(signal);
    signal.addEventListener("abort", () => reject(new Error("aborted")));
  });
  const line = new EventLine({ onFrame: (each) => frames.push(each), onLost: () => { lost += 1; } });
  const first = line.send({ type: "turn" }, "");
  line.send({ type: "stop" }, "");
  assert.ok(!signals[0].aborted);
  line.send({ type: "resume" }, "");
  await first;
  assert.deepEqual(signals.map((each) => each.aborted), [true, false, false]);
  line.close();
  assert.equal(lost, 0);
});
