// Votes by one key each while the vote has the focus, and the next battle after it. Nothing where the visitor switched shortcuts off.

const ANSWERS = { a: "a_better", b: "b_better", "=": "tie", 0: "both_bad" };
const WRITES = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])";

export const areOn = () => document.documentElement.dataset.shortcuts !== "off";

/** The key that was struck alone, in small letters; nothing while it is held, part of a combination, or text. */
function struck(event) {
  const alone = !event.ctrlKey && !event.altKey && !event.metaKey && !event.repeat && !event.isComposing;
  return areOn() && alone && !event.target.closest(WRITES) ? event.key.toLowerCase() : "";
}

const unanswered = (form) => [...form.querySelectorAll("fieldset:not([hidden])")].find((each) => !each.querySelector(":checked"));

/** A, B, = and 0 answer the question that has the focus, or else the first one without an answer; the focus goes on to what is left. */
export function wireVoteKeys(form) {
  form.addEventListener("keydown", (event) => {
    const answer = ANSWERS[struck(event)];
    const question = answer && (event.target.closest("fieldset") ?? unanswered(form));
    if (!question) return;
    event.preventDefault();
    question.querySelector(`[value="${answer}"]`).click();
    (unanswered(form)?.querySelector("input") ?? form.querySelector("button.primary")).focus();
  });
}

/** N leads to the next battle once a vote was cast. */
export function wireNextKey() {
  document.addEventListener("keydown", (event) => {
    if (struck(event) === "n") document.querySelector("[data-next]")?.click();
  });
}
