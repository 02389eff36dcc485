// Frames of lehia.v1 to the state of a page. Pure: no document, no socket.

const side = () => ({ status: "pending", reason: "", code: "", attempt: 0, sealed: [], held: 0, open: "", anew: false });
const names = ["A", "B"];

/** The state before any frame. `held` counts the sealed blocks of a side that are on the page; `queue` is the battle's place, 0 for none. */
export const initial = () => ({
  battle: null, turn: 0, status: "open", sides: { A: side(), B: side() }, queue: 0, refused: null, retryS: null, lost: false, ended: null,
});

/**
 * The state after a frame. `sealed` of a side holds only the blocks that this frame adds; a side that is `anew` leaves an empty pane first;
 * `lost` asks for a resume.
 */
export function reduce(state, frame) {
  const next = { ...state, refused: null, ended: null, sides: {} };
  for (const name of names) next.sides[name] = { ...state.sides[name], sealed: [], anew: false };
  const reducer = reducers[frame.type];
  return reducer ? reducer(next, frame) : next;
}

const reducers = {
  state(next, frame) {
    const fresh = frame.turn !== next.turn || frame.battle !== next.battle;
    for (const name of names) {
      const [known, told] = [next.sides[name].attempt, frame.sides[name].attempt ?? 0];
      if (fresh) next.sides[name] = side();
      else if (known && told && known !== told) next.sides[name] = { ...side(), anew: true };
      Object.assign(next.sides[name], frame.sides[name], { attempt: told || next.sides[name].attempt });
    }
    return { ...next, battle: frame.battle, turn: frame.turn, status: frame.status, queue: fresh ? 0 : next.queue, lost: false };
  },
  render(next, frame) {
    const pane = next.sides[frame.side];
    if (frame.seq - frame.sealed.length !== pane.held) return { ...next, lost: true };
    Object.assign(pane, { sealed: frame.sealed, held: frame.seq, open: frame.open });
    if (pane.status === "pending") pane.status = "streaming";
    return { ...next, lost: false };
  },
  done(next, frame) {
    Object.assign(next.sides[frame.side], { status: "complete", reason: frame.reason, code: "" });
    return { ...next, ended: frame.side };
  },
  failed(next, frame) {
    const status = frame.code === "interrupted" ? "interrupted" : "failed";
    Object.assign(next.sides[frame.side], { status, reason: "", code: frame.code });
    return { ...next, ended: frame.side };
  },
  queue: (next, frame) => ({ ...next, queue: frame.position }),
  refused: (next, frame) => ({ ...next, refused: frame.code, retryS: frame.retry_s ?? null }),
};

/** A side that is asked again starts empty; the other keeps what it has. */
export function retried(state, name) {
  return { ...state, sides: { ...state.sides, [name]: side() } };
}

export const isWriting = (state) => state.status === "answering" && names.some((name) => ["pending", "streaming"].includes(state.sides[name].status));
export const isVotable = (state) => state.status === "ready";
export const offsets = (state) => ({ A: state.sides.A.held, B: state.sides.B.held });
export const attempts = (state) => ({ A: state.sides.A.attempt, B: state.sides.B.attempt });
