// What is said of a sentence is kept without leaving the page; without scripts the same forms do it.

import { fragment } from "./pane.js";

const wired = new WeakSet();

export function wireFeedback() {
  const section = document.querySelector("[data-feedback]");
  if (!section || wired.has(section)) return;
  wired.add(section);
  const copy = section.querySelector("[data-copy-sentence]");
  const form = copy.form;
  const chosen = () => form.querySelector("[name=span]:checked");
  copy.hidden = !chosen();
  form.addEventListener("change", () => { copy.hidden = !chosen(); });
  copy.addEventListener("click", () => {
    form.elements.rewrite.value = chosen().parentElement.textContent.trim();
    form.elements.rewrite.focus();
  });
  section.addEventListener("submit", (event) => {
    event.preventDefault();
    send(section, event.target);
  });
}

async function send(section, form) {
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Requested-With": "fetch" } });
  } catch {
    return form.submit(); // no fetch: the plain form does the same
  }
  if (![200, 422].includes(answer.status)) return form.submit();
  section.replaceWith(fragment(await answer.text()));
  wireFeedback();
  document.querySelector("[data-feedback]").focus();
}

wireFeedback();
