import assert from "node:assert/strict";
import test from "node:test";

import { attempts, initial, isVotable, isWriting, offsets, reduce, retried } from "../../static/js/reducer.js";

const sides = (status) => ({ A: { status, reason: "", code: "" }, B: { status, reason: "", code: "" } });
const begun = () => reduce(initial(), { type: "state", battle: "x", turn: 1, status: "answering", sides: sides("pending") });
const render = (side, seq, sealed, open = "") => ({ type: "render", side, seq, sealed, open });

test("a state frame names the battle and its turn", () => {
  const state = begun();
  assert.equal(state.battle, "x");
  assert.equal(state.turn, 1);
  assert.ok(isWriting(state));
});

test("sealed blocks are counted and only the new ones are handed on", () => {
  let state = reduce(begun(), render("A", 2, ["<p>1</p>", "<p>2</p>"], "<p>3"));
  state = reduce(state, render("A", 3, ["<p>3</p>"]));
  assert.deepEqual(state.sides.A.sealed, ["<p>3</p>"]);
  assert.equal(state.sides.A.open, "");
  assert.deepEqual(offsets(state), { A: 3, B: 0 });
});

test("a gap asks for a resume and changes nothing", () => {
  const state = reduce(begun(), render("A", 5, ["<p>5</p>"]));
  assert.ok(state.lost);
  assert.equal(state.sides.A.held, 0);
});

test("a doubled frame asks for a resume instead of doubling text", () => {
  const frame = render("B", 1, ["<p>1</p>"]);
  const state = reduce(reduce(begun(), frame), frame);
  assert.ok(state.lost);
  assert.equal(state.sides.B.held, 1);
});

test("a side's end is told once", () => {
  const state = reduce(begun(), { type: "done", side: "A", reason: "stop" });
  assert.equal(state.ended, "A");
  assert.equal(state.sides.A.status, "complete");
  assert.equal(reduce(state, render("B", 0, [], "x")).ended, null);
});

test("a failed side keeps its code; an interrupted one is called so", () => {
  assert.equal(reduce(begun(), { type: "failed", side: "B", code: "timeout" }).sides.B.status, "failed");
  assert.equal(reduce(begun(), { type: "failed", side: "B", code: "interrupted" }).sides.B.status, "interrupted");
});

test("only a ready battle can be voted on", () => {
  assert.ok(!isVotable(begun()));
  assert.ok(isVotable(reduce(begun(), { type: "state", battle: "x", turn: 1, status: "ready", sides: sides("complete") })));
});

test("a new turn empties both sides", () => {
  let state = reduce(begun(), render("A", 1, ["<p>1</p>"]));
  state = reduce(state, { type: "state", battle: "x", turn: 2, status: "answering", sides: sides("pending") });
  assert.deepEqual(offsets(state), { A: 0, B: 0 });
});

test("a retried side starts empty and the other stays", () => {
  let state = reduce(begun(), render("A", 1, ["<p>1</p>"]));
  state = retried(reduce(state, render("B", 1, ["<p>1</p>"])), "B");
  assert.deepEqual(offsets(state), { A: 1, B: 0 });
});

const attempt = (a, b, status = "streaming") => ({ A: { status, reason: "", code: "", attempt: a }, B: { status, reason: "", code: "", attempt: b } });
const told = (sides, turn = 1) => ({ type: "state", battle: "x", turn, status: "answering", sides });

test("a side that begins anew leaves an empty pane and takes text from its beginning; the other stays", () => {
  let state = reduce(initial(), told(attempt(1, 1)));
  state = reduce(reduce(state, render("A", 2, ["<p>1</p>", "<p>2</p>"], "x")), render("B", 1, ["<p>1</p>"]));
  state = reduce(state, told(attempt(2, 1, "pending")));
  assert.ok(state.sides.A.anew);
  assert.ok(!state.sides.B.anew);
  assert.equal(state.sides.A.open, "");
  assert.deepEqual(offsets(state), { A: 0, B: 1 });
  assert.deepEqual(attempts(state), { A: 2, B: 1 });
  state = reduce(state, render("A", 1, ["<p>berria</p>"]));
  assert.ok(!state.lost);
  assert.ok(!state.sides.A.anew);
});

test("an attempt that is not known yet empties nothing and forgets nothing", () => {
  let state = reduce(reduce(initial(), told(attempt(2, 1))), render("A", 1, ["<p>1</p>"]));
  state = reduce(state, told(attempt(0, 0)));
  assert.ok(!state.sides.A.anew);
  assert.deepEqual(attempts(state), { A: 2, B: 1 });
  assert.deepEqual(offsets(state), { A: 1, B: 0 });
});

test("a new turn begins with its own attempts and empties no pane of the last one", () => {
  const state = reduce(reduce(initial(), told(attempt(3, 1))), told(attempt(1, 1), 2));
  assert.ok(!state.sides.A.anew);
  assert.deepEqual(attempts(state), { A: 1, B: 1 });
});

test("the place in the queue is the battle's, and goes with a new turn", () => {
  const state = reduce(begun(), { type: "queue", position: 3 });
  assert.equal(state.queue, 3);
  assert.equal(reduce(state, render("A", 0, [], "x")).queue, 3);
  assert.equal(reduce(state, { type: "queue", position: 0 }).queue, 0);
  assert.equal(reduce(state, told(attempt(1, 1), 2)).queue, 0);
});

test("a state frame settles what was lost", () => {
  const state = reduce(begun(), render("A", 5, ["<p>5</p>"]));
  assert.ok(!reduce(state, told(attempt(1, 1))).lost);
});

test("a refusal is passed on and forgotten by the next frame", () => {
  assert.equal(reduce(begun(), { type: "refused", code: "too_fast", retry_s: 7 }).retryS, 7);
  const state = reduce(begun(), { type: "refused", code: "too_long" });
  assert.equal(state.refused, "too_long");
  assert.equal(reduce(state, render("A", 0, [], "x")).refused, null);
});

test("an unknown frame changes nothing", () => {
  assert.deepEqual(reduce(begun(), { type: "news" }), begun());
});

test("the state given in is never changed", () => {
  const state = begun();
  const copy = structuredClone(state);
  reduce(state, render("A", 1, ["<p>1</p>"]));
  assert.deepEqual(state, copy);
});
