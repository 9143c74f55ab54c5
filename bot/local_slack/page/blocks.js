// Block Kit as DOM. `act(block, element, value)` is called when something is pressed or chosen.

import { el, link, colour } from "./dom.js";
import { mrkdwn, markdown, richText, unescape, emojiNode } from "./mrkdwn.js";

export function text(object, names) {
  if (!object) return null;
  if (object.type === "mrkdwn") return mrkdwn(object.text, names);
  const nodes = [];
  for (const [index, piece] of unescape(object.text).split(/(?<!\d):([a-z0-9_+-]+):/).entries()) {
    if (index % 2) nodes.push(emojiNode(piece));
    else if (piece) nodes.push(piece);
  }
  return nodes;
}

export function renderBlocks(blocks, names, act, values = {}) {
  return blocks.map((block) => {
    const made = (RENDER[block.type] || unknown)(block, names, act, values[block.block_id] || {});
    made.dataset.blockId = block.block_id || "";
    made.dataset.blockType = block.type;
    made.classList.add("block", block.type.replace(/_/g, "-"));
    return made;
  });
}

const unknown = (block) => el("div", { class: "unknown" }, `(${block.type})`);

const RENDER = {
  section: (block, names, act, values) =>
    el(
      "div",
      {},
      el(
        "div",
        { class: "words" },
        block.text && el("div", { class: "text" }, text(block.text, names)),
        block.fields && el("div", { class: "fields" }, block.fields.map((field) => el("div", {}, text(field, names)))),
      ),
      block.accessory && el("div", { class: "accessory" }, element(block, block.accessory, names, act, values)),
    ),
  header: (block, names) => el("h3", {}, text(block.text, names)),
  divider: () => el("hr"),
  context: (block, names) =>
    el("div", {}, block.elements.map((part) => (part.type === "image" ? image(part) : el("span", {}, text(part, names))))),
  actions: (block, names, act, values) => el("div", {}, block.elements.map((e) => element(block, e, names, act, values))),
  context_actions: (block, names, act, values) => el("div", {}, block.elements.map((e) => element(block, e, names, act, values))),
  image: (block, names) => el("figure", {}, block.title && el("figcaption", {}, text(block.title, names)), image(block)),
  rich_text: (block, names) => el("div", {}, richText(block, names)),
  markdown: (block, names) => el("div", {}, markdown(block.text, names)),
  plan: (block, names) =>
    el("div", {}, el("div", { class: "plan-title" }, unescape(block.title)), (block.tasks || []).map((task) => taskCard(task, names))),
  task_card: (block, names) => el("div", {}, taskCard(block, names)),
  table: (block, names) => el("div", { tabindex: "0" }, table(block, names)),
  alert: (block, names) => el("div", { "data-level": block.level || "default", role: "note" }, text(block.text, names)),
  card: (block, names, act, values) => card(block, names, act, values),
  carousel: (block, names, act, values) => el("div", {}, block.elements.map((item) => card(item, names, act, values))),
  container: (block, names, act, values) =>
    el(
      "details",
      { open: !block.default_collapsed },
      el("summary", {}, block.title ? text(block.title, names) : richText(block.rich_text_title, names)),
      renderBlocks(block.child_blocks, names, act, values),
    ),
  input: (block, names, act, values) => {
    const id = `input-${block.block_id}`;
    return el(
      "div",
      { class: "field" },
      el("label", { for: id }, text(block.label, names), block.optional && el("span", { class: "optional" }, " (optional)")),
      element(block, block.element, names, act, values, id),
      block.hint && el("div", { class: "hint" }, text(block.hint, names)),
      el("div", { class: "error", role: "alert" }),
    );
  },
};

function image(block) {
  const url = block.image_url || "";
  return /^https?:/i.test(url) ? el("img", { src: url, alt: block.alt_text || "", loading: "lazy" }) : el("span", {}, block.alt_text);
}

const MARKS = { pending: "○", in_progress: "◐", complete: "✓", error: "✕" };

function taskCard(task, names) {
  const more = [task.details, task.output].filter(Boolean).map((rich) => el("div", { class: "task-more" }, richText(rich, names)));
  const sources = (task.sources || []).map((source) => link(source.url, source.text, { class: "source" }));
  return el(
    "div",
    { class: "task", "data-status": task.status, "data-task-id": task.task_id },
    el("span", { class: "mark", "aria-label": task.status.replace("_", " ") }, MARKS[task.status] || "○"),
    el("div", {}, el("div", { class: "task-title" }, unescape(task.title)), more, sources.length ? el("div", {}, sources) : null),
  );
}

function table(block, names) {
  const cell = (value) => (value.type === "rich_text" ? richText(value, names) : value.text ?? String(value.value));
  const align = (column) => `align-${(block.column_settings || [])[column]?.align || "left"}`;
  const row = (cells, tag) => el("tr", {}, cells.map((value, column) => el(tag, { class: align(column) }, cell(value))));
  const [head, ...rest] = block.rows;
  return el("table", {}, el("thead", {}, row(head, "th")), el("tbody", {}, rest.map((cells) => row(cells, "td"))));
}

function card(block, names, act, values) {
  return el(
    "div",
    { class: "card" },
    block.hero_image && image(block.hero_image),
    block.title && el("strong", {}, text(block.title, names)),
    block.subtitle && el("div", { class: "hint" }, text(block.subtitle, names)),
    block.body && el("div", {}, text(block.body, names)),
    block.actions && el("div", { class: "actions" }, block.actions.map((e) => element(block, e, names, act, values))),
  );
}

function element(block, e, names, act, values, id = null) {
  const value = values[e.action_id] || {};
  const made = (ELEMENT[e.type] || (() => el("span", { class: "unknown" }, `(${e.type})`)))(block, e, names, act, value, id);
  made.dataset.actionId = e.action_id || "";
  made.dataset.element = e.type;
  return made;
}

function confirmed(e, names, go) {
  if (!e.confirm) return go();
  if (window.confirm(`${e.confirm.title.text}\n\n${e.confirm.text.text}`)) go();
}

const options = (e) => [...(e.options || []), ...(e.option_groups || []).flatMap((group) => group.options)];

function select(block, e, choices, chosen, act, id, names, many = false) {
  const made = el("select", { id, multiple: many, size: many ? Math.min(6, Math.max(3, choices.length)) : null, "aria-label": id ? null : e.placeholder?.text || "Choose" });
  if (!many) made.append(el("option", { value: "" }, unescape(e.placeholder?.text || "Choose …")));
  for (const [value, label] of choices) {
    const option = el("option", { value }, label);
    option.selected = many ? chosen.includes(value) : chosen === value;
    made.append(option);
  }
  made.addEventListener("change", () => {
    const picked = many ? [...made.selectedOptions].map((option) => option.value) : made.value;
    act(block, e, picked);
  });
  return made;
}

const pairs = (e) => options(e).map((option) => [option.value, unescape(option.text.text)]);

function boxes(kind) {
  return (block, e, names, act, value) => {
    const chosen = kind === "radio" ? [value.selected_option?.value] : (value.selected_options || []).map((o) => o.value);
    const group = el("div", { class: "choices", role: kind === "radio" ? "radiogroup" : "group" });
    for (const option of options(e)) {
      const box = el("input", { type: kind, name: `${block.block_id}-${e.action_id}`, value: option.value, "data-value": option.value });
      box.checked = chosen.includes(option.value);
      box.addEventListener("change", () => {
        const picked = [...group.querySelectorAll("input:checked")].map((input) => input.value);
        act(block, e, kind === "radio" ? picked[0] : picked);
      });
      const description = option.description && el("span", { class: "hint" }, text(option.description, names));
      group.append(el("label", {}, box, el("span", {}, text(option.text, names), description)));
    }
    return group;
  };
}

function typed(kind) {
  return (block, e, names, act, value, id) => {
    const attributes = { id, placeholder: unescape(e.placeholder?.text || ""), maxlength: e.max_length, "aria-label": id ? null : "Text" };
    const made = e.multiline || kind === "rich" ? el("textarea", { ...attributes, rows: 4 }) : el("input", { ...attributes, type: kind });
    made.value = value.value || value.selected_date || value.selected_time || "";
    made.addEventListener("input", () => act(block, e, made.value));
    return made;
  };
}

function directory(kind, many) {
  return (block, e, names, act, value, id) => {
    const chosen = value[`selected_${kind}${many ? "s" : ""}`] || (many ? [] : "");
    return select(block, e, names.list(kind), chosen, act, id, names, many);
  };
}

const ELEMENT = {
  button: (block, e, names, act) => {
    const label = el("span", {}, text(e.text, names));
    if (e.url) return link(e.url, label, { class: "button", onclick: () => act(block, e, e.value) });
    const go = () => confirmed(e, names, () => act(block, e, e.value));
    return el("button", { type: "button", class: `button ${e.style || ""}`, "data-value": e.value, "aria-label": e.accessibility_label, onclick: go }, label);
  },
  icon_button: (block, e, names, act) =>
    el("button", { type: "button", class: "button quiet", title: e.text.text, "aria-label": e.text.text, onclick: () => confirmed(e, names, () => act(block, e, e.value)) }, "🗑"),
  feedback_buttons: (block, e, names, act) =>
    el(
      "span",
      { class: "feedback" },
      [["positive_button", "👍"], ["negative_button", "👎"]].map(([side, sign]) =>
        el(
          "button",
          { type: "button", class: "button quiet", "data-side": side.split("_")[0], "data-value": e[side].value, "aria-label": e[side].accessibility_label,
            onclick: (event) => {
              for (const other of event.currentTarget.parentNode.children) other.setAttribute("aria-pressed", other === event.currentTarget);
              act(block, e, e[side].value);
            } },
          sign + " ", text(e[side].text, names),
        ),
      ),
    ),
  overflow: (block, e, names, act) => select(block, { ...e, placeholder: { text: "⋯" } }, pairs(e), "", (b, o, value) => value && act(b, o, value), null, names),
  static_select: (block, e, names, act, value, id) => select(block, e, pairs(e), value.selected_option?.value, act, id, names),
  multi_static_select: (block, e, names, act, value, id) =>
    select(block, e, pairs(e), (value.selected_options || []).map((option) => option.value), act, id, names, true),
  users_select: directory("user", false),
  multi_users_select: directory("user", true),
  channels_select: directory("channel", false),
  multi_channels_select: directory("channel", true),
  conversations_select: directory("conversation", false),
  multi_conversations_select: directory("conversation", true),
  checkboxes: boxes("checkbox"),
  radio_buttons: boxes("radio"),
  plain_text_input: typed("text"),
  email_text_input: typed("email"),
  url_text_input: typed("url"),
  number_input: typed("text"),
  rich_text_input: typed("rich"),
  datepicker: typed("date"),
  timepicker: typed("time"),
  datetimepicker: (block, e, names, act, value, id) => {
    const made = el("input", { type: "datetime-local", id });
    made.addEventListener("change", () => act(block, e, Math.round(new Date(made.value).getTime() / 1000)));
    return made;
  },
  image,
};

// Legacy attachments, with their coloured edge.
export function attachment(item, names, act) {
  const blocks = item.blocks ? renderBlocks(item.blocks, names, act) : [];
  const edge = el("div", { class: "edge" });
  edge.style.background = colour(item.color);
  const body = el(
    "div",
    { class: "attachment-body" },
    item.author_name && el("div", { class: "hint" }, unescape(item.author_name)),
    item.title && el("div", { class: "attachment-title" }, item.title_link ? link(unescape(item.title_link), text({ text: item.title }, names)) : text({ text: item.title }, names)),
    item.text && el("div", { class: "text" }, mrkdwn(item.text, names)),
    item.fields && el("dl", { class: "attachment-fields" }, item.fields.map((field) => el("div", { class: field.short ? "short" : "long" }, el("dt", {}, unescape(field.title)), el("dd", {}, mrkdwn(field.value, names))))),
    blocks,
    item.actions && el("div", { class: "actions block" }, item.actions.filter((a) => a.url).map((a) => link(a.url, text({ text: a.text || "" }, names), { class: "button" }))),
    item.image_url && image({ image_url: item.image_url, alt_text: item.fallback }),
    !item.title && !item.text && !item.fields && !blocks.length && item.fallback && el("div", {}, mrkdwn(item.fallback, names)),
    item.footer && el("div", { class: "hint" }, mrkdwn(item.footer, names)),
  );
  return [item.pretext && el("div", { class: "text" }, mrkdwn(item.pretext, names)), el("div", { class: "attachment" }, edge, body)];
}
