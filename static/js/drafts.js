// What was written and not yet sent, kept by this browser for each battle and for the next one; a browser that keeps nothing does without.

const name = (battle) => `draft ${battle}`;

export function draftOf(battle) {
  try {
    return localStorage.getItem(name(battle)) ?? "";
  } catch {
    return "";
  }
}

/** Nothing written is nothing kept. */
export function keepDraft(battle, text) {
  try {
    if (text) localStorage.setItem(name(battle), text);
    else localStorage.removeItem(name(battle));
  } catch {
    // private windows may refuse: the field itself still has the text
  }
}

export function dropDrafts() {
  try {
    for (const kept of Object.keys(localStorage)) if (kept.startsWith(name(""))) localStorage.removeItem(kept);
  } catch {
    // nothing is kept where nothing may be
  }
}
