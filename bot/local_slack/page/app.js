// The page: one state, drawn anew where it changed. Changes come as server-sent events.

import { el, clear } from "./dom.js";
import { emoji, PICKER } from "./emoji.js";
import { messageNode, dayLine } from "./message.js";
import { renderBlocks } from "./blocks.js";
import { showModal } from "./modal.js";
import { openAppForm } from "./appform.js";

const $ = (id) => document.getElementById(id);
const at = { me: "", channel: "", thread: null, tab: "messages", read: {} };
let state = null;
let modalKey = "";

export async function act(name, body) {
  const response = await fetch(`/control/${name}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!answer.ok && !answer.errors) notice(SAYS[answer.error] || answer.error);
  return answer;
}

const SAYS = { operation_timeout: "The app did not answer in time (operation_timeout)." };

function notice(text) {
  clear($("notice"), text).hidden = false;
  clearTimeout(notice.timer);
  notice.timer = setTimeout(() => ($("notice").hidden = true), 5000);
}

// -- who and where -----------------------------------------------------------------------------------------------------

const userOf = (id) => state.people.find((p) => p.id === id) || state.apps.find((a) => a.user_id === id);
const room = (id) => state.channels.find((c) => c.id === id);

const names = {
  user: (id) => { const who = userOf(id); return who ? who.real_name?.split(" ")[0] || who.name : id; },
  full: (id) => { const who = userOf(id); return who ? who.real_name || who.name : id; },
  who: userOf,
  bot: (id) => state.apps.find((a) => a.bot_id === id),
  channel: (id) => room(id)?.name,
  isMe: (id) => id === at.me,
  list: (kind) => kind === "user" ? state.people.map((p) => [p.id, p.real_name]) : state.channels.filter((c) => c.kind !== "im").map((c) => [c.id, "#" + c.name]),
};

function mine() {
  return state.channels.filter((c) => c.members.includes(at.me) || (c.kind === "channel" && !c.archived));
}

function title(channel) {
  if (channel.kind !== "im") return channel.name;
  return names.full(channel.members.find((member) => member !== at.me) || at.me);
}

function said(channel) {
  const all = [...(state.messages[channel] || []), ...state.ephemeral.filter((m) => m.channel === channel && m.ephemeral_for === at.me)];
  return all.sort((a, b) => (a.ts < b.ts ? -1 : 1));
}

const session = (channel, ts) => state.sessions.find((s) => s.channel === channel && s.thread_ts === ts);

// -- drawing -----------------------------------------------------------------------------------------------------------

function drawSidebar() {
  clear($("team-name"), state.team.name);
  clear($("connection"), state.connected ? `${state.bot.name} connected` : `${state.bot.name} offline`).className = state.connected ? "on" : "";
  const channels = mine().filter((c) => c.kind !== "im").map((c) => roomButton(c, el("span", { class: "hash" }, c.kind === "group" ? "🔒" : "#")));
  const bot = el("button", { type: "button", "data-app-home": state.bot.id, "aria-current": isBotRoom() ? "true" : null, onclick: openBot }, avatar(state.bot), state.bot.name);
  clear($("rooms"), el("h2", {}, "Channels"), channels, el("h2", {}, "Apps"), bot);
  if ($("me").length !== state.people.length) clear($("me"), state.people.map((p) => el("option", { value: p.id }, `${p.real_name} · ${p.title}`)));
  $("me").value = at.me;
}

function roomButton(channel, sign) {
  const unread = channel.id === at.channel ? 0 : (state.messages[channel.id] || []).filter((m) => m.ts > (at.read[channel.id] || "0") && m.user !== at.me && (!m.thread_ts || m.thread_ts === m.ts)).length;
  return el("button", { type: "button", "data-channel": channel.id, "data-channel-name": channel.name, class: unread ? "unread" : "", "aria-current": channel.id === at.channel ? "true" : null, onclick: () => openChannel(channel.id) }, sign, title(channel), unread ? el("span", { class: "count" }, String(unread)) : null);
}

const isBotRoom = () => { const here = room(at.channel); return here?.kind === "im" && here.members.includes(state.bot.user_id); };

function avatar(who) {
  const initials = (who?.real_name || who?.name || "?").split(/\s+/).slice(0, 2).map((word) => word[0]).join("").toUpperCase();
  const made = el("span", { class: "avatar", "aria-hidden": "true" }, initials);
  made.style.background = "#" + (who?.color || "4b5563");
  return made;
}

const tools = { names, avatar, session, state: () => state, react, openThread, openMenu, openPicker, press, dismiss: (m) => act("delete", { user: at.me, channel: m.channel, ts: m.ts }) };

function drawChannel(keep = true) {
  const here = room(at.channel);
  if (!here) return;
  const bot = isBotRoom();
  clear($("channel-name"), (here.kind === "im" ? "" : "# ") + title(here));
  clear($("channel-about"), here.kind === "im" ? "" : `${here.members.length} members${here.topic ? " · " + here.topic : ""}`);
  $("tabs").hidden = !bot;
  if (bot) clear($("tabs"), ["home", "messages"].map((tab) => el("button", { type: "button", role: "tab", "data-tab": tab, "aria-selected": String(at.tab === tab), onclick: () => openTab(tab) }, tab === "home" ? "Home" : "Messages")));
  const box = $("messages");
  $("composer").hidden = bot && at.tab === "home";
  if (bot && at.tab === "home") return drawHome(box);
  const stuck = !keep || box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const top = box.scrollTop;
  draw(box, said(at.channel).filter((m) => !m.thread_ts || m.thread_ts === m.ts || m.broadcast), false);
  if (!box.children.length) clear(box, el("p", { class: "empty" }, "Nothing here yet. Say something, or post as an alerting app."));
  box.scrollTop = stuck ? box.scrollHeight : top;
  at.read[at.channel] = said(at.channel).at(-1)?.ts || "0";
}

function drawHome(box) {
  const home = state.homes[at.me];
  const pressHome = (block, element, value) => act("press", { user: at.me, view_id: home.id, block_id: block.block_id, action_id: element.action_id, value });
  clear(box, el("div", { class: "home", "data-home": state.bot.id }, home ? renderBlocks(home.blocks, names, pressHome, home.state.values) : el("p", { class: "empty" }, "The app has not published a home for you.")));
}

// Only what differs is replaced, so that focus and scrolling survive a busy thread.
function draw(box, messages, inThread) {
  const known = new Map([...box.children].filter((node) => node.dataset.key).map((node) => [node.dataset.key, node]));
  const nodes = [];
  let before = null;
  for (const message of messages) {
    const day = new Date(Number(message.ts) * 1000).toDateString();
    if (!inThread && (!before || day !== new Date(Number(before.ts) * 1000).toDateString())) nodes.push(dayLine(message.ts));
    const compact = before && !inThread && sameAuthor(before, message) && message.ts - before.ts < 300 && !before.reply_count && !message.ephemeral_for;
    const key = JSON.stringify([message, inThread, compact, at.me, session(message.channel, message.ts)]);
    nodes.push(known.get(key) || messageNode(message, tools, { inThread, compact }));
    nodes.at(-1).dataset.key = key;
    before = message;
  }
  const current = [...box.children];
  if (current.length !== nodes.length || current.some((node, index) => node !== nodes[index])) clear(box, nodes);
}

const sameAuthor = (a, b) => (a.user || a.bot_id) === (b.user || b.bot_id) && a.username === b.username && !a.subtype === !b.subtype;

function drawThread(keep = true) {
  const open = at.thread && at.thread.channel === at.channel;
  $("thread").hidden = !open;
  $("shell").classList.toggle("with-thread", Boolean(open));
  if (!open) return;
  clear($("thread-where"), (room(at.channel).kind === "im" ? "" : "#") + title(room(at.channel)));
  const box = $("replies");
  const stuck = !keep || box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const top = box.scrollTop;
  draw(box, said(at.channel).filter((m) => m.ts === at.thread.ts || m.thread_ts === at.thread.ts), true);
  box.scrollTop = stuck && keep ? box.scrollHeight : keep ? top : 0;
  drawSession();
}

const STATUS = { processing: "is working", active: "is waiting for you", suspended: "is paused", closed: "is done" };

function drawSession() {
  const now = session(at.channel, at.thread.ts);
  const shown = now && (now.status || now.hint);
  $("session").hidden = !shown;
  if (!shown) return;
  const busy = now.status === "processing" || now.hint;
  const line = `${state.bot.name} ${now.hint || STATUS[now.status]}${now.title ? ` · ${now.title}` : ""}`;
  const stop = now.status === "processing" && state.can_stop && el("button", { type: "button", class: "button danger", "data-role": "stop-session", onclick: () => act("stop", { user: at.me, channel: at.channel, thread_ts: at.thread.ts }) }, "Stop");
  clear($("session"), el("span", { class: "label " + (busy ? "status-line" : "") }, line), stop || null);
  $("session").dataset.status = now.status;
}

function drawModal() {
  const stack = state.modals[at.me] || [];
  const key = JSON.stringify(stack.map((view) => [view.id, view.hash]));
  if (key === modalKey) return;
  modalKey = key;
  showModal($("modal"), stack, names, {
    press: (view, block, element, value) => act("press", { user: at.me, view_id: view.id, block_id: block.block_id, action_id: element.action_id, value }),
    submit: (values) => act("submit", { user: at.me, values }),
    close: () => act("close", { user: at.me }),
  });
}

function drawAll(keep = true) {
  drawSidebar();
  drawChannel(keep);
  drawThread(keep);
  drawModal();
  document.title = `${room(at.channel) ? title(room(at.channel)) : ""} · ${state.team.name}`;
}

// -- going -------------------------------------------------------------------------------------------------------------

function openChannel(id, tab = "messages") {
  at.channel = id;
  at.tab = tab;
  at.thread = null;
  drawer(false);
  remember();
  drawAll(false);
}

async function openBot() {
  const answer = await act("home", { user: at.me, tab: "home" });
  if (answer.ok) await waitFor(() => room(answer.channel));
  openChannel(answer.channel, "home");
}

async function openTab(tab) {
  at.tab = tab;
  await act("home", { user: at.me, tab });
  drawChannel(false);
}

async function waitFor(ready) {
  for (let i = 0; i < 40 && !ready(); i++) await new Promise((done) => setTimeout(done, 25));
}

function openThread(message) {
  at.thread = { channel: message.channel, ts: message.thread_ts || message.ts };
  remember();
  drawThread(false);
  $("thread-composer").querySelector("textarea").focus({ preventScroll: true });
}

function closeThread() {
  at.thread = null;
  remember();
  drawThread();
}

function remember() {
  localStorage.setItem("local-slack-me", at.me);
  const here = room(at.channel);
  if (here) history.replaceState(null, "", `#${here.kind === "im" ? here.id : here.name}${at.thread ? "/" + at.thread.ts : ""}`);
}

function drawer(open) {
  $("sidebar").classList.toggle("open", open);
  $("shade").hidden = !open;
}

// -- doing -------------------------------------------------------------------------------------------------------------

function react(message, name) {
  const given = (message.reactions || []).find((r) => r.name === name);
  return act(given?.users.includes(at.me) ? "unreact" : "react", { user: at.me, channel: message.channel, ts: message.ts, name });
}

function press(message, block, element, value) {
  return act("press", { user: at.me, channel: message.channel, ts: message.ts, block_id: block.block_id, action_id: element.action_id, value });
}

function popup(anchor, content) {
  const box = clear($("popup"), content);
  box.hidden = false;
  const where = anchor.getBoundingClientRect();
  box.style.left = Math.max(8, Math.min(where.left, innerWidth - box.offsetWidth - 8)) + "px";
  box.style.top = (where.bottom + box.offsetHeight + 8 > innerHeight ? Math.max(8, where.top - box.offsetHeight - 4) : where.bottom + 4) + "px";
  box.querySelector("button")?.focus();
}

function openPicker(anchor, message) {
  const pick = (name) => () => { $("popup").hidden = true; react(message, name); };
  popup(anchor, el("div", { class: "grid", "data-role": "picker" }, PICKER.map((name) => el("button", { type: "button", class: "emoji", "data-emoji": name, title: `:${name}:`, "aria-label": name, onclick: pick(name) }, emoji(name)))));
}

function openMenu(anchor, message) {
  const item = (label, go, data = {}) => el("button", { type: "button", ...data, onclick: () => { $("popup").hidden = true; go(); } }, label);
  const shortcuts = state.shortcuts.filter((s) => s.type === "message" && !message.ephemeral_for).map((s) => item(s.name, () => act("shortcut", { user: at.me, callback_id: s.callback_id, channel: message.channel, ts: message.ts }), { "data-shortcut": s.callback_id }));
  const own = message.user === at.me && [
    item("Edit message", () => { const now = window.prompt("Edit message", message.text); if (now) act("edit", { user: at.me, channel: message.channel, ts: message.ts, text: now }); }, { "data-role": "edit" }),
    item("Delete message", () => act("delete", { user: at.me, channel: message.channel, ts: message.ts }), { "data-role": "delete" }),
  ];
  const copy = item("Copy link", () => navigator.clipboard?.writeText(`${location.origin}/archives/${message.channel}/p${message.ts.replace(".", "")}`));
  popup(anchor, el("div", { class: "list", "data-role": "message-menu" }, shortcuts, copy, own || null));
}

function composer(form, inThread) {
  const input = el("textarea", { rows: 1, "data-role": inThread ? "reply-input" : "input", "aria-label": inThread ? "Reply" : "Message", placeholder: inThread ? "Reply …" : "Message, or / for commands" });
  const send = el("button", { class: "send", "data-role": inThread ? "reply-send" : "send", disabled: true }, "Send");
  const hints = el("div", { class: "commands", hidden: true });
  const suggest = () => {
    const typed = input.value;
    send.disabled = !typed.trim();
    input.style.height = "auto";
    input.style.height = Math.min(input.scrollHeight, 180) + "px";
    const fits = !inThread && /^\/\S*$/.test(typed) ? state.commands.filter((c) => c.name.startsWith(typed)) : [];
    hints.hidden = !fits.length;
    clear(hints, fits.map((c) => el("button", { type: "button", "data-command": c.name, onclick: () => { input.value = c.name + " "; suggest(); input.focus(); } }, el("strong", {}, c.name), el("span", {}, c.description))));
  };
  input.addEventListener("input", suggest);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    const command = /^(\/\S+)\s*([\s\S]*)$/.exec(text);
    input.value = "";
    suggest();
    const answer = command && !inThread
      ? await act("slash", { user: at.me, channel: at.channel, command: command[1], text: command[2] })
      : await act("say", { user: at.me, channel: at.channel, text, thread_ts: inThread ? at.thread.ts : "" });
    if (!answer.ok && !input.value) { input.value = text; suggest(); }
    const box = $(inThread ? "replies" : "messages");
    box.scrollTop = box.scrollHeight;
  });
  clear(form, hints, el("div", { class: "box" }, input, send));
}

// -- staying up to date ------------------------------------------------------------------------------------------------

function upsert(message) {
  const list = message.ephemeral_for ? state.ephemeral : (state.messages[message.channel] ||= []);
  const index = list.findIndex((other) => other.ts === message.ts);
  if (index < 0) list.push(message);
  else list[index] = message;
}

const APPLY = {
  message: ({ message, root }) => { upsert(message); if (root) upsert(root); },
  gone: ({ message, root }) => {
    if (message.ephemeral_for) state.ephemeral = state.ephemeral.filter((m) => m.ts !== message.ts);
    else state.messages[message.channel] = (state.messages[message.channel] || []).filter((m) => m.ts !== message.ts);
    if (root) upsert(root);
  },
  channel: (channel) => { const index = state.channels.findIndex((c) => c.id === channel.id); index < 0 ? state.channels.push(channel) : (state.channels[index] = channel); },
  session: (now) => { state.sessions = state.sessions.filter((s) => s.channel !== now.channel || s.thread_ts !== now.thread_ts).concat(now); },
  view: ({ user, stack }) => { state.modals[user] = stack; },
  home: ({ user, view }) => { state.homes[user] = view; },
  hello: ({ connected }) => { state.connected = connected; },
};

let waiting = false;
function soon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; drawAll(); });
  setTimeout(() => { if (waiting) { waiting = false; drawAll(); } }, 120);
}

async function load() {
  state = await (await fetch("/control/state")).json();
  const changes = new EventSource(`/control/changes?since=${state.version}`);
  for (const [kind, apply] of Object.entries(APPLY)) changes.addEventListener(kind, (event) => { apply(JSON.parse(event.data)); soon(); });
  changes.addEventListener("reload", () => { changes.close(); load(); });
  const wish = localStorage.getItem("local-slack-me");
  at.me ||= state.people.some((p) => p.id === wish) ? wish : state.people[0].id;
  if (!room(at.channel)) start();
  drawAll(false);
}

function start() {
  const archive = /^\/archives\/([^/]+)\/p(\d{10})(\d+)/.exec(location.pathname);
  const [name, thread] = decodeURIComponent(location.hash.slice(1)).split("/");
  const here = archive ? room(archive[1]) : state.channels.find((c) => c.name === name || c.id === name);
  at.channel = (here || mine()[0]).id;
  const ts = archive ? `${archive[2]}.${archive[3]}` : thread;
  const target = ts && (state.messages[at.channel] || []).find((m) => m.ts === ts);
  if (target) at.thread = { channel: at.channel, ts: target.thread_ts || target.ts };
  for (const channel of state.channels) at.read[channel.id] = (state.messages[channel.id] || []).at(-1)?.ts || "0";
}

composer($("composer"), false);
composer($("thread-composer"), true);
$("me").addEventListener("change", (event) => { at.me = event.target.value; remember(); if (!mine().some((c) => c.id === at.channel)) at.channel = mine()[0].id; at.thread = null; drawAll(false); });
$("close-thread").addEventListener("click", closeThread);
$("menu").addEventListener("click", () => drawer(true));
$("shade").addEventListener("click", () => drawer(false));
$("post-as-app").addEventListener("click", () => { drawer(false); openAppForm($("app-form"), state, at.channel, act); });
document.addEventListener("click", (event) => {
  const target = event.target.closest?.("[data-open-channel]");
  if (target) { event.preventDefault(); if (room(target.dataset.openChannel)) openChannel(target.dataset.openChannel); }
  if (!event.target.closest?.("#popup, .tools, .reaction")) $("popup").hidden = true;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (!$("popup").hidden) $("popup").hidden = true;
  else if (!$("shade").hidden) drawer(false);
  else if (at.thread) closeThread();
});
load();
