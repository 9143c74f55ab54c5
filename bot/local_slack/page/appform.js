// Posting as an alerting app: a sample to start from, any JSON to end with.

import { el, clear } from "./dom.js";
import { SAMPLES } from "./samples.js";

export function openAppForm(dialog, state, channel, act) {
  const others = state.apps.filter((app) => app.id !== state.bot.id);
  const sample = el("select", { id: "sample", "data-role": "sample" }, SAMPLES.map((item, index) => el("option", { value: String(index) }, item.name)));
  const app = el("select", { id: "app", "data-role": "app" }, others.map((item) => el("option", { value: item.name }, item.name)));
  const where = el("select", { id: "where", "data-role": "where" }, state.channels.filter((c) => c.kind !== "im").map((c) => el("option", { value: c.id }, "#" + c.name)));
  const json = el("textarea", { id: "json", class: "json", "data-role": "payload", spellcheck: "false" });
  const error = el("div", { class: "error", role: "alert" });
  const fill = () => { const chosen = SAMPLES[sample.value]; app.value = chosen.app; json.value = JSON.stringify(chosen.payload, null, 2); };
  sample.addEventListener("change", fill);
  const field = (id, label, input) => el("div", { class: "field" }, el("label", { for: id }, label), input);
  const form = el(
    "form",
    { method: "dialog" },
    el("div", { class: "head" }, el("h2", {}, "Post as an alerting app"), el("button", { type: "button", class: "icon", "aria-label": "Close", onclick: () => dialog.close() }, "✕")),
    el("div", { class: "body" }, field("sample", "Sample", sample), field("app", "App", app), field("where", "Channel", where), el("div", { class: "field" }, el("label", { for: "json" }, "Message (JSON as for chat.postMessage)"), json, error)),
    el("div", { class: "foot" }, el("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Cancel"), el("button", { class: "button primary", "data-role": "post" }, "Post")),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    let payload;
    try {
      payload = JSON.parse(json.value);
    } catch (problem) {
      error.textContent = `No JSON: ${problem.message}`;
      return;
    }
    const answer = await act("post", { ...payload, app: app.value, channel: where.value });
    if (answer.ok) dialog.close();
    else error.textContent = answer.error;
  });
  clear(dialog, form);
  fill();
  where.value = state.channels.find((c) => c.id === channel && c.kind !== "im") ? channel : where.value;
  dialog.showModal();
}
