// A button per answer that copies its text, where the browser lets a page copy.

/** Whether the pane's button can be used: its answer is complete. */
export function offerCopy(pane) {
  pane.querySelector("[data-copy]").hidden = !navigator.clipboard || pane.dataset.status !== "complete";
}

/** `onCopied()` after an answer was copied. */
export function wireCopy(arena, onCopied) {
  for (const pane of arena.querySelectorAll("[data-pane]")) offerCopy(pane);
  arena.addEventListener("click", async (event) => {
    const pane = event.target.closest("[data-copy]")?.closest("[data-pane]");
    if (!pane) return;
    await navigator.clipboard.writeText(pane.querySelector("[data-answer]").innerText.trim());
    onCopied();
  });
}
