// Slack's mrkdwn and Markdown as DOM nodes. Nothing here ever sets innerHTML.

import { el, link } from "./dom.js";
import { emoji, isKnown } from "./emoji.js";

const INLINE =
  /`([^`\n]+)`|<([^<>]+)>|(?<![\w*])\*([^*\n]+)\*(?![\w*])|(?<![\w_])_([^_\n]+)_(?![\w_])|(?<![\w~])~([^~\n]+)~(?![\w~])|(?<!\d):([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):/g;

export function unescape(text) {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

// `names` knows people and channels: {user(id), channel(id), openChannel(id)}.
export function mrkdwn(text, names) {
  const nodes = [];
  for (const [index, piece] of (text || "").split("```").entries()) {
    if (index % 2) nodes.push(el("pre", {}, plainOf(piece.replace(/^\n|\n$/g, ""))));
    else nodes.push(...paragraphs(index ? piece.replace(/^\n/, "") : piece, names));
  }
  return nodes;
}

function paragraphs(text, names) {
  const nodes = [];
  let quote = null;
  const lines = text.split("\n");
  lines.forEach((line, index) => {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quoted) {
      if (!quote) nodes.push((quote = el("blockquote")));
      else quote.append(el("br"));
      quote.append(...inline(quoted[1], names));
      return;
    }
    if (quote && line === "") return void (quote = null);
    quote = null;
    const item = /^\s*(?:•|◦|-) (.*)$/.exec(line);
    if (item) nodes.push(el("span", { class: "bullet" }, "•"), el("span", { class: "item" }, inline(item[1], names)));
    else {
      nodes.push(...inline(line, names));
      if (index < lines.length - 1) nodes.push(el("br"));
    }
  });
  return nodes;
}

export function inline(text, names) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > end) nodes.push(unescape(text.slice(end, found.index)));
    const [whole, code, markup, bold, italic, strike, name] = found;
    if (code) nodes.push(el("code", {}, plainOf(code)));
    else if (markup) nodes.push(special(markup, names));
    else if (bold) nodes.push(el("strong", {}, inline(bold, names)));
    else if (italic) nodes.push(el("em", {}, inline(italic, names)));
    else if (strike) nodes.push(el("s", {}, inline(strike, names)));
    else if (name) nodes.push(emojiNode(name));
    end = found.index + whole.length;
  }
  if (end < text.length) nodes.push(unescape(text.slice(end)));
  return nodes;
}

// Inside code a link is only its address.
function plainOf(text) {
  return unescape(text.replace(/<(https?:[^<>|]+)(?:\|([^<>]*))?>/g, (_, url, label) => label || url));
}

export function emojiNode(name) {
  // 13:12:19 has a ":12:" in it, and is no emoji.
  if (!isKnown(name)) return document.createTextNode(`:${name}:`);
  return el("span", { class: "emoji", title: `:${name}:`, role: "img", "aria-label": name.replace(/_/g, " ") }, emoji(name));
}

function special(markup, names) {
  const bar = markup.indexOf("|");
  const target = bar < 0 ? markup : markup.slice(0, bar);
  const label = bar < 0 ? "" : unescape(markup.slice(bar + 1));
  if (target.startsWith("@")) return mention(target.slice(1), names);
  if (target.startsWith("#")) return channelLink(target.slice(1), names, label);
  if (target.startsWith("!date^")) return dateNode(target.slice(6).split("^"), label);
  if (target.startsWith("!")) return el("span", { class: "mention" }, label || "@" + target.slice(1).split("^")[0]);
  return link(unescape(target), label || unescape(target.replace(/^mailto:/, "")));
}

export function mention(id, names) {
  return el("span", { class: "mention" + (names.isMe(id) ? " me" : ""), "data-user": id }, "@" + names.user(id));
}

export function channelLink(id, names, label = "") {
  const name = names.channel(id) || label || id;
  return el("a", { class: "mention", href: "#", "data-open-channel": id }, "#" + name);
}

export function dateNode([seconds, format = "{date_short} {time}", url], fallback) {
  const at = new Date(Number(seconds) * 1000);
  if (isNaN(at)) return fallback;
  const part = {
    date_num: at.toISOString().slice(0, 10),
    date: at.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" }),
    date_short: at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" }),
    date_long: at.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" }),
    time: at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }),
    time_secs: at.toLocaleTimeString("en-GB"),
    ago: ago(at),
  };
  const text = format.replace(/\{(\w+?)(_pretty)?\}/g, (whole, name) => part[name] || whole);
  return url ? link(url, text) : el("time", { datetime: at.toISOString(), title: at.toString() }, text);
}

function ago(at) {
  const minutes = Math.round((Date.now() - at) / 60000);
  return minutes < 1 ? "just now" : minutes < 60 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
}

// Standard Markdown, as in a `markdown` block.
export function markdown(text, names) {
  const nodes = [];
  let list = null;
  let code = null;
  for (const line of text.split("\n")) {
    if (/^```/.test(line)) {
      if (code) code = null;
      else nodes.push((code = el("pre")));
    } else if (code) code.append(line + "\n");
    else {
      const heading = /^(#{1,6}) (.*)$/.exec(line);
      const item = /^\s*(?:[-*]|\d+\.) (.*)$/.exec(line);
      const quote = /^> ?(.*)$/.exec(line);
      if (!item) list = null;
      if (heading) nodes.push(el("h4", {}, markdownInline(heading[2], names)));
      else if (item) {
        if (!list) nodes.push((list = el(/^\s*\d/.test(line) ? "ol" : "ul")));
        list.append(el("li", {}, markdownInline(item[1], names)));
      } else if (quote) nodes.push(el("blockquote", {}, markdownInline(quote[1], names)));
      else if (line.trim()) nodes.push(el("p", {}, markdownInline(line, names)));
    }
  }
  return nodes;
}

const MARKDOWN =
  /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\((https?:[^)\s]+)\)|(?<![\w*])[*_]([^*_]+)[*_](?![\w*])|~~([^~]+)~~|<([@#!][^<>]+)>|(https?:\/\/[^\s<>)]+)|(?<!\d):([a-z0-9_+-]+):/g;

function markdownInline(text, names) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(MARKDOWN)) {
    if (found.index > end) nodes.push(text.slice(end, found.index));
    const [whole, code, bold, label, url, italic, strike, markup, bare, name] = found;
    if (code) nodes.push(el("code", {}, code));
    else if (bold) nodes.push(el("strong", {}, markdownInline(bold, names)));
    else if (label) nodes.push(link(url, label));
    else if (italic) nodes.push(el("em", {}, markdownInline(italic, names)));
    else if (strike) nodes.push(el("s", {}, strike));
    else if (markup) nodes.push(special(markup, names));
    else if (bare) nodes.push(link(bare, bare));
    else if (name) nodes.push(emojiNode(name));
    end = found.index + whole.length;
  }
  if (end < text.length) nodes.push(text.slice(end));
  return nodes;
}

// The parts of a rich_text block.
export function richText(block, names) {
  return (block.elements || []).map((element) => richElement(element, names));
}

function richElement(element, names) {
  const parts = () => (element.elements || []).map((part) => richPart(part, names));
  if (element.type === "rich_text_preformatted") return el("pre", {}, parts());
  if (element.type === "rich_text_quote") return el("blockquote", {}, parts());
  if (element.type === "rich_text_list") {
    const items = element.elements.map((item) => el("li", {}, item.elements.map((part) => richPart(part, names))));
    return el(element.style === "ordered" ? "ol" : "ul", { class: "indent-" + (element.indent || 0) }, items);
  }
  return el("div", { class: "rich-section" }, parts());
}

function richPart(part, names) {
  const made = {
    text: () => el("span", {}, part.text),
    link: () => link(part.url, part.text || part.url),
    user: () => mention(part.user_id, names),
    channel: () => channelLink(part.channel_id, names),
    emoji: () => emojiNode(part.name),
    broadcast: () => el("span", { class: "mention" }, "@" + part.range),
    date: () => dateNode([part.timestamp, part.format, part.url], part.fallback),
  }[part.type];
  let node = made ? made() : el("span", {}, part.text || "");
  const style = part.style || {};
  if (style.code) node = el("code", {}, node);
  if (style.bold) node = el("strong", {}, node);
  if (style.italic) node = el("em", {}, node);
  if (style.strike) node = el("s", {}, node);
  return node;
}
