// A page of an analysis: a button that copies its command, and a look now and then whether what is being computed is there.

const LOOK_EVERY_MS = 1500;

for (const button of document.querySelectorAll("[data-copies]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    button.parentElement.querySelector("[role=status]").textContent = button.dataset.copied;
  });
}

async function look(address) {
  const answer = await fetch(address).catch(() => null);
  if (answer && answer.status !== 202) location.reload();
  else setTimeout(look, LOOK_EVERY_MS, address);
}

const waiting = document.querySelector("[data-waiting] a");
if (waiting) {
  const address = new URL(waiting.href);
  address.searchParams.set("format", "json");
  setTimeout(look, LOOK_EVERY_MS, address);
}
