// A battle's page: frames in, the page's state out.

import { wireComposer } from "./composer.js";
import { wireConsent } from "./consent.js";
import { wireCopy } from "./copy.js";
import { areOn, wireNextKey } from "./keys.js";
import { wireFeedback } from "./feedback.js";
import { clear, showSide } from "./pane.js";
import { attempts, initial, isVotable, isWriting, offsets, reduce, retried } from "./reducer.js";
import { BattleSocket } from "./socket.js";
import { wireTabs } from "./tabs.js";
import { wireVote } from "./vote.js";

const arena = document.querySelector("[data-arena]");
const find = (selector) => arena.querySelector(selector);
const texts = (key) => find(`[data-text="${key}"]`)?.textContent ?? "";
const askConsent = wireConsent(arena, find("[data-consent-dialog]"));
const composer = wireComposer(find("[data-composer]"), { battle: () => arena.dataset.battle, onSend: send });
const tabs = wireTabs(arena, find("[data-tabs]"), find("[data-turns-list]"));
const told = new Set(); // ends of sides that were announced, or were there before
let state = fromPage();
let pending = null;

const socket = new BattleSocket({ onFrame: take, onReopen: resume, onLost: () => alertWith(texts("offline")) });

function fromPage() {
  const begun = initial();
  if (!arena.dataset.battle) return begun;
  begun.battle = arena.dataset.battle;
  begun.turn = Number(arena.dataset.turns);
  begun.status = arena.dataset.status;
  for (const pane of panes(begun.turn)) {
    Object.assign(begun.sides[pane.dataset.pane], { status: pane.dataset.status, held: Number(pane.dataset.sealed), attempt: Number(pane.dataset.attempt) });
    told.add(`${begun.turn} ${pane.dataset.pane} ${pane.dataset.attempt} ${pane.dataset.status}`);
  }
  return begun;
}

function panes(turn) {
  return arena.querySelectorAll(`[data-turn="${turn}"] [data-pane]`);
}

function take(frame) {
  const before = state;
  state = reduce(state, frame);
  if (state.battle && state.battle !== before.battle) adopt(state.battle);
  if (state.turn > before.turn && !panes(state.turn).length) addTurn();
  if (state.refused) refused(state.refused, state.retryS);
  else if (frame.type !== "state" || state.turn > before.turn) alertWith("");
  if (state.lost) return resume();
  for (const pane of panes(state.turn)) {
    const name = pane.dataset.pane;
    const side = state.sides[name];
    if (side.anew) clear(pane);
    if (side.sealed.length || side.open) tabs.unread(name);
    showSide(pane, side, texts);
  }
  if (state.ended) announce(state.ended);
  controls();
}

/** The end of a side is said once, however often it is told. */
function announce(name) {
  const end = `${state.turn} ${name} ${state.sides[name].attempt} ${state.sides[name].status}`;
  if (!told.has(end)) find(`[data-announce="${name}"]`).textContent = texts(`announce-${name}`);
  told.add(end);
}

function adopt(battle) {
  history.replaceState(null, "", `/battle/${battle}/`);
  arena.dataset.battle = battle;
  find("[data-leave]").action = `/battle/${battle}/abandon/`;
  find("[data-vote]").action = `/battle/${battle}/vote/`;
  find("[data-report]").href = `/battle/${battle}/report/`;
  find("[data-leave]").hidden = false;
  tabs.show();
  for (const part of document.querySelectorAll("[data-intro]")) part.hidden = true;
}

function addTurn() {
  const turn = find("[data-turn-template]").content.cloneNode(true);
  turn.querySelector("[data-turn]").dataset.turn = state.turn;
  turn.querySelector("[data-asked]").textContent = pending?.text ?? "";
  find("[data-turns-list]").append(turn);
  for (const each of arena.querySelectorAll("[data-announce]")) each.textContent = "";
  if (pending) composer.sent();
  pending = null;
  panes(state.turn)[0].scrollIntoView({ block: "nearest" });
}

function controls() {
  arena.dataset.status = state.status;
  const writing = isWriting(state);
  const left = Number(arena.dataset.maxTurns) - state.turn;
  find("[data-stop]").hidden = !writing;
  const queue = find("[data-queue]");
  const waiting = writing && state.queue ? texts("queue").replace("{n}", state.queue) : "";
  if (queue.textContent !== waiting) queue.textContent = waiting; // said once by a screen reader
  queue.hidden = !waiting;
  find("[data-send]").disabled = state.status === "answering";
  find("[data-turns-left]").hidden = left !== 1;
  find("[data-composer]").hidden = left <= 0 || ["voted", "abandoned"].includes(state.status);
  const vote = find("[data-vote]");
  if (!vote || vote.hidden !== isVotable(state)) return;
  vote.hidden = !isVotable(state);
  // whoever only waited votes with the next keys; whoever writes goes on writing
  if (!vote.hidden && areOn() && composer.isIdle()) vote.focus({ preventScroll: true });
}

function refused(code, retryS) {
  pending = null;
  alertWith((texts(`refused-${code}`) || texts("refused-other")).replace("{n}", retryS));
  if (code === "consent_needed") arena.dataset.consent = "no";
}

function alertWith(text) {
  const box = find("[data-alert]");
  box.textContent = text;
  box.hidden = !text;
}

function resume() {
  if (state.battle) {
    socket.send({ type: "resume", battle: state.battle, turn: state.turn, offsets: offsets(state), attempts: attempts(state) });
  }
  if (pending) socket.send({ type: "turn", ...pending }); // it may have been lost with the line; its key makes a second time harmless
}

async function send(text) {
  if (!(await askConsent())) return false;
  pending = { text, key: crypto.randomUUID(), still: matchMedia("(prefers-reduced-motion: reduce)").matches };
  socket.send({ type: "turn", ...pending });
  return true;
}

find("[data-stop]").addEventListener("click", () => socket.send({ type: "stop" }));
arena.addEventListener("click", (event) => {
  const retry = event.target.closest("[data-retry]");
  if (retry) {
    const name = retry.dataset.retry;
    state = retried(state, name);
    clear(retry.closest("[data-pane]"));
    socket.send({ type: "retry", side: name });
  }
});
wireCopy(arena, () => { find("[data-copied]").textContent = texts("copied"); });
wireNextKey();
find("[data-leave]").addEventListener("submit", () => composer.forget());
wireVote(find("[data-vote]"), {
  onRevealed() {
    arena.dataset.status = "voted";
    composer.forget();
    find("[data-composer]").hidden = true;
    find("[data-leave]").hidden = true;
    socket.close();
    find("[data-reveal]").focus();
    wireFeedback();
  },
});

if (state.battle) {
  tabs.show();
  controls();
  if (!["voted", "abandoned"].includes(state.status)) resume();
}
