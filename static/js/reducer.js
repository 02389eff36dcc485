// Frames of lehia.v1 to the state of a page. Pure: no document, no socket.

const side = () => ({ status: "pending", reason: "", code: "", sealed: [], held: 0, open: "" });

/** The state before any frame. `held` counts the sealed blocks of a side that are on the page. */
export const initial = () => ({
  battle: null, turn: 0, status: "open", sides: { A: side(), B: side() }, refused: null, lost: false, ended: null,
});

/** The state after a frame. `sealed` of a side holds only the blocks that this frame adds; `lost` asks for a resume. */
export function reduce(state, frame) {
  const next = { ...state, refused: null, ended: null, sides: { A: { ...state.sides.A, sealed: [] }, B: { ...state.sides.B, sealed: [] } } };
  const reducer = reducers[frame.type];
  return reducer ? reducer(next, frame) : next;
}

const reducers = {
  state(next, frame) {
    const fresh = frame.turn !== next.turn || frame.battle !== next.battle;
    for (const name of ["A", "B"]) {
      if (fresh) next.sides[name] = side();
      Object.assign(next.sides[name], frame.sides[name]);
    }
    return { ...next, battle: frame.battle, turn: frame.turn, status: frame.status };
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
  refused: (next, frame) => ({ ...next, refused: frame.code }),
};

/** A side that is asked again starts empty; the other keeps what it has. */
export function retried(state, name) {
  return { ...state, sides: { ...state.sides, [name]: side() } };
}

export const isWriting = (state) => state.status === "answering" && ["A", "B"].some((name) => ["pending", "streaming"].includes(state.sides[name].status));
export const isVotable = (state) => state.status === "ready";
export const offsets = (state) => ({ A: state.sides.A.held, B: state.sides.B.held });
