// The field in which messages are written, its draft, and its room at the foot of the page.

import { draftOf, keepDraft } from "./drafts.js";

/** `battle()` is the battle's id, empty before its first message. `onSend(text)` resolves to whether the message is on its way. Returns what the page asks of the field. */
export function wireComposer(form, { battle, onSend }) {
  const field = form.elements.text;
  const counter = form.querySelector("[data-count]");

  function count() {
    const limit = Number(counter.dataset.limit);
    counter.hidden = field.value.length < limit * 0.8;
    counter.textContent = `${field.value.length} / ${limit}`;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!field.value.trim() || !(await onSend(field.value))) field.focus();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && matchMedia("(pointer: fine)").matches) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  field.addEventListener("input", () => {
    keepDraft(battle(), field.value);
    count();
  });
  for (const starter of document.querySelectorAll("[data-starter]")) {
    starter.addEventListener("click", (event) => {
      event.preventDefault(); // without scripts its link brings the prompt
      field.value = starter.textContent;
      field.focus();
      field.dispatchEvent(new Event("input"));
    });
  }
  if (!field.value) field.value = draftOf(battle());
  count();
  makeRoom(form);
  return {
    /** The message was taken. */
    sent() {
      field.value = "";
      for (const of of ["", battle()]) keepDraft(of, "");
      count();
    },
    /** The battle is over. */
    forget: () => keepDraft(battle(), ""),
    isIdle: () => !field.value && (form.contains(document.activeElement) || document.activeElement === document.body),
  };
}

/** Nothing that is brought into view, by keyboard or by a script, ends up beneath the composer while it keeps to the foot of the page. */
function makeRoom(form) {
  const root = document.documentElement;
  new ResizeObserver(() => {
    const height = getComputedStyle(form).position === "sticky" ? form.offsetHeight : 0;
    root.style.setProperty("--composer-room", `${height}px`);
  }).observe(form);
}
