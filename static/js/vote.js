// The vote: the overall question appears only when the two answers disagree; sending swaps in what the server answers.

import { wireVoteKeys } from "./keys.js";
import { fragment } from "./pane.js";

const DECISIVE = ["a_better", "b_better"];

export function wireVote(form, { onRevealed }) {
  if (!form) return;
  wireVoteKeys(form);
  const overall = form.querySelector("[data-overall]");
  const chosen = (name) => form.elements[name].value;
  form.addEventListener("change", () => {
    const [content, language] = [chosen("content"), chosen("language")];
    const asked = DECISIVE.includes(content) && DECISIVE.includes(language) && content !== language;
    overall.hidden = !asked;
    for (const input of overall.querySelectorAll("input")) {
      input.required = asked;
      if (!asked) input.checked = false;
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button.primary");
    button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Requested-With": "fetch" } });
      const html = await answer.text();
      if (answer.ok) {
        form.replaceWith(fragment(html));
        onRevealed();
      } else if ([403, 409, 422, 429].includes(answer.status)) {
        form.querySelector("[data-vote-error]").replaceChildren(fragment(html));
      } else form.submit();
    } catch {
      form.submit(); // no fetch: the plain form does the same
    } finally {
      button.disabled = false;
    }
  });
}
