// On phones: one answer at a time, or both, as tabs over one panel. On wider screens both are there, and nothing here is shown.

const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

/** Returns what marks a side as having text that is not in view. */
export function wireTabs(arena, list, panel) {
  const tabs = [...list.children];
  const narrow = matchMedia("(max-width: 46rem)");

  function choose(tab) {
    arena.dataset.view = tab.dataset.view;
    for (const each of tabs) {
      each.setAttribute("aria-selected", String(each === tab));
      each.tabIndex = each === tab ? 0 : -1;
      const mark = each.querySelector("[data-unread]");
      if (mark && [each.dataset.view, "both"].includes(tab.dataset.view)) mark.hidden = true;
    }
    describe();
  }
  function describe() {
    const isPanel = narrow.matches && !list.hidden;
    for (const [name, value] of [["role", "tabpanel"], ["aria-labelledby", `tab-${arena.dataset.view}`]]) {
      if (isPanel) panel.setAttribute(name, value);
      else panel.removeAttribute(name);
    }
  }
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) choose(tab);
  });
  list.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const at = tabs.indexOf(event.target.closest("[role=tab]"));
    const next = Number.isFinite(step) ? (at + step + tabs.length) % tabs.length : step < 0 ? 0 : tabs.length - 1;
    choose(tabs[next]);
    tabs[next].focus();
  });
  narrow.addEventListener("change", describe);
  return {
    show() {
      list.hidden = false;
      describe();
    },
    unread(name) {
      if (arena.dataset.view !== "both" && arena.dataset.view !== name) list.querySelector(`[data-unread="${name}"]`).hidden = false;
    },
  };
}
