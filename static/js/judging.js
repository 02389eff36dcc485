// A stored pair: the vote form of a battle, and the next pair once it was sent.

import { wireFeedback } from "./feedback.js";
import { wireNextKey } from "./keys.js";
import { wireVote } from "./vote.js";

const form = document.querySelector("[data-vote]");
const leave = document.querySelector("form.leave");
const next = document.querySelector("[data-next-pair]");

wireNextKey();
wireVote(form, {
  onRevealed() {
    leave.hidden = true;
    next.hidden = false;
    const reveal = document.querySelector("[data-reveal]");
    reveal.querySelector("[data-next]")?.setAttribute("href", "/judge/");
    reveal.focus();
    wireFeedback();
  },
});
