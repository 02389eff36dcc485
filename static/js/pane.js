// One answer pane: sealed blocks are appended, the open block is replaced. What is being read never moves.

import { offerCopy } from "./copy.js";

export function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = html; // the server's own sanitised HTML
  return template.content;
}

export function showSide(pane, side, texts) {
  const sealed = pane.querySelector("[data-sealed-blocks]");
  for (const block of side.sealed) sealed.append(fragment(block));
  pane.querySelector("[data-open-block]").replaceChildren(fragment(side.open));
  pane.dataset.status = side.status;
  pane.dataset.sealed = side.held;
  offerCopy(pane);
  pane.querySelector("[data-state]").textContent = stateText(side, texts);
  pane.querySelector("[data-retry]").hidden = !["failed", "interrupted"].includes(side.status);
}

export function clear(pane) {
  pane.querySelector("[data-sealed-blocks]").replaceChildren();
  pane.querySelector("[data-open-block]").replaceChildren();
}

function stateText(side, texts) {
  if (side.status === "complete") return texts(`state-${side.reason}`) || texts("state-stop");
  if (side.status === "failed") return texts(`state-${side.code}`) || texts("state-failed");
  return texts(`state-${side.status}`);
}
