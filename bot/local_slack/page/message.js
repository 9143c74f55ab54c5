// One message: who, when, what, and what hangs beneath it.

import { el, link } from "./dom.js";
import { emoji } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";
import { attachment, renderBlocks } from "./blocks.js";

const clock = (ts) => new Date(Number(ts) * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

export function dayLine(ts) {
  const day = new Date(Number(ts) * 1000);
  const today = day.toDateString() === new Date().toDateString();
  return el("div", { class: "day" }, today ? "Today" : day.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" }));
}

export function messageNode(message, tools, { inThread, compact }) {
  const { names } = tools;
  const app = names.bot(message.bot_id);
  const who = names.who(message.user) || app;
  const name = message.username || who?.real_name || who?.name || "Somebody";
  return el(
    "article",
    {
      class: ["message", compact && "compact", message.ephemeral_for && "ephemeral"].filter(Boolean).join(" "),
      "data-ts": message.ts,
      "data-channel": message.channel,
      "data-thread-ts": message.thread_ts,
      "data-user": message.user || message.bot_id,
      "aria-label": `${name}, ${clock(message.ts)}`,
    },
    tools.avatar(who?.name ? who : { name }),
    el(
      "div",
      {},
      message.ephemeral_for && el("div", { class: "only" }, "Only visible to you", el("button", { type: "button", "data-role": "dismiss", onclick: () => tools.dismiss(message) }, "Dismiss")),
      el("div", { class: "by" }, el("strong", {}, name), message.bot_id && el("span", { class: "tag" }, "APP"), el("time", { datetime: new Date(message.ts * 1000).toISOString(), title: message.ts }, clock(message.ts))),
      body(message, tools),
      reactions(message, tools),
      !inThread && beneath(message, tools),
    ),
    !message.ephemeral_for && toolbar(message, tools, inThread),
  );
}

function body(message, tools) {
  const { names } = tools;
  const act = (block, element, value) => tools.press(message, block, element, value);
  const blocks = message.blocks || [];
  const parts = blocks.length ? renderBlocks(blocks, names, act) : message.text ? [el("div", { class: "text" + (/_join$/.test(message.subtype || "") ? " join" : "") }, mrkdwn(message.text, names))] : [];
  const files = (message.files || []).map((file) =>
    /^image\//.test(file.mimetype) ? el("div", { class: "block image" }, el("img", { src: file.url_private, alt: file.alt_txt || file.title })) : link(file.url_private, `📄 ${file.title}`),
  );
  const words = blocks.length && message.files && message.text ? el("div", { class: "text" }, mrkdwn(message.text, names)) : null;
  return el("div", { class: "content" }, words, parts, (message.attachments || []).map((item) => attachment(item, names, act)), files, message.edited && el("span", { class: "edited" }, "(edited)"), message.streaming_state === "in_progress" && el("span", { class: "status-line" }, "writing"));
}

function reactions(message, tools) {
  if (!message.reactions?.length) return null;
  return el(
    "div",
    { class: "reactions" },
    message.reactions.map((given) => {
      const mine = given.users.some(tools.names.isMe);
      const people = given.users.map(tools.names.full).join(", ");
      return el(
        "button",
        { type: "button", class: "reaction" + (mine ? " mine" : ""), "data-reaction": given.name, "data-count": given.count, "aria-pressed": String(mine), title: `${people} reacted with :${given.name}:`, "aria-label": `${given.name}, ${given.count}: ${people}`, onclick: () => tools.react(message, given.name) },
        el("span", { class: "emoji" }, emoji(given.name)), ` ${given.count}`,
      );
    }),
    el("button", { type: "button", class: "reaction", "aria-label": "Add a reaction", onclick: (event) => tools.openPicker(event.currentTarget, message) }, "+"),
  );
}

function beneath(message, tools) {
  const session = tools.session(message.channel, message.ts);
  const busy = session && (session.status === "processing" || session.hint);
  const status = busy && el("span", { class: "status-line", "data-session": session.status }, `${tools.state().bot.name} ${session.hint || "is working"}`);
  if (!message.reply_count) return status ? el("div", {}, status) : null;
  const count = `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`;
  const open = el("button", { type: "button", class: "reply-link", "data-role": "open-thread", "data-reply-count": message.reply_count, onclick: () => tools.openThread(message) }, count, el("span", {}, `last ${clock(message.latest_reply)}`));
  return el("div", {}, open, status || null);
}

function toolbar(message, tools, inThread) {
  const quick = ["eyes", "+1", "-1", "thinking_face"].map((name) => el("button", { type: "button", class: "emoji", "data-quick": name, title: `:${name}:`, "aria-label": `React with ${name}`, onclick: () => tools.react(message, name) }, emoji(name)));
  return el(
    "div",
    { class: "tools", role: "toolbar", "aria-label": "Message actions" },
    quick,
    el("button", { type: "button", "data-role": "picker-open", "aria-label": "Pick a reaction", title: "Pick a reaction", onclick: (event) => tools.openPicker(event.currentTarget, message) }, "☺"),
    !inThread && el("button", { type: "button", class: "word", "data-role": "reply", onclick: () => tools.openThread(message) }, "Reply"),
    el("button", { type: "button", "data-role": "menu", "aria-label": "More actions", title: "More actions", onclick: (event) => tools.openMenu(event.currentTarget, message) }, "⋯"),
  );
}
