// Consent opens at the first send; the message stays in the composer meanwhile.

export function wireConsent(arena, dialog) {
  let settle = null;
  dialog.querySelector("[data-consent-cancel]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => settle?.(arena.dataset.consent === "yes"));
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
    if (answer.status === 429) return form.submit(); // the page that it leads to says how long to wait
    if (answer.ok) arena.dataset.consent = "yes";
    dialog.close();
  });
  /** Resolves to whether there is consent. */
  return () => {
    if (arena.dataset.consent === "yes") return Promise.resolve(true);
    dialog.showModal();
    return new Promise((resolve) => { settle = resolve; });
  };
}
