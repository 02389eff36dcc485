// Shows how far an export is, without a reload, until it is over.

const EVERY_MS = 2000;
const shown = document.querySelector("[data-export]");
const said = document.querySelector("[data-said]");
const isOver = () => shown.querySelector("[data-over]") !== null;
const state = () => shown.querySelector("[data-state]");

async function look() {
  const before = state().innerText;
  const answer = await fetch(shown.dataset.export).catch(() => null);
  if (answer?.ok) {
    const hadFocus = shown.contains(document.activeElement);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    shown.replaceChildren(...page.body.childNodes);
    if (state().innerText !== before) said.textContent = state().innerText;
    if (hadFocus) (shown.querySelector("button, a") ?? state()).focus();
  }
  if (!isOver()) setTimeout(look, EVERY_MS);
}

if (!isOver()) setTimeout(look, EVERY_MS);
