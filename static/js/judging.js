// A stored pair: the vote form of a battle, and the next pair once it was sent.

import { wireVote } from "./vote.js";

const form = document.querySelector("[data-vote]");
const leave = document.querySelector("form.leave");
const next = document.querySelector("[data-next-pair]");

wireVote(form, {
  onRevealed: () => {
    leave.hidden = true;
    next.hidden = false;
    next.querySelector("button").focus();
  },
});
