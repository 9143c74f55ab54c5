// The modal in front of a person. What is put in is kept here until it is submitted.

import { el, clear } from "./dom.js";
import { renderBlocks, text } from "./blocks.js";

export function showModal(dialog, stack, names, { press, submit, close }) {
  const view = stack.at(-1);
  if (!view) {
    if (dialog.open) dialog.close();
    return;
  }
  const values = {};
  const act = (block, element, value) => {
    (values[block.block_id] ||= {})[element.action_id] = value;
    if (block.type !== "input" || block.dispatch_action) press(view, block, element, value);
  };
  const body = el("div", { class: "body" }, renderBlocks(view.blocks, names, act, view.state.values));
  const send = view.submit && el("button", { class: "button primary", "data-role": "modal-submit", disabled: view.submit_disabled }, text(view.submit, names));
  const form = el(
    "form",
    { method: "dialog", novalidate: true, "data-view-id": view.id, "data-callback-id": view.callback_id },
    el("div", { class: "head" }, el("h2", { id: "modal-title" }, text(view.title, names)), el("button", { type: "button", class: "icon", "aria-label": "Close", "data-role": "modal-close", onclick: close }, "✕")),
    body,
    el("div", { class: "foot" }, el("button", { type: "button", class: "button", "data-role": "modal-cancel", onclick: close }, view.close ? text(view.close, names) : stack.length > 1 ? "Back" : "Cancel"), send),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (send) send.disabled = true;
    const answer = await submit(values);
    if (send) send.disabled = false;
    showErrors(body, answer.errors || {});
  });
  clear(dialog, form);
  dialog.oncancel = (event) => { event.preventDefault(); close(); };
  if (!dialog.open) dialog.showModal();
  body.querySelector("input, textarea, select, button")?.focus();
}

function showErrors(body, errors) {
  for (const field of body.querySelectorAll(".field")) {
    const problem = errors[field.dataset.blockId];
    field.classList.toggle("wrong", Boolean(problem));
    field.querySelector(".error").textContent = problem || "";
  }
  body.querySelector(".wrong input, .wrong textarea, .wrong select")?.focus();
}
