// Building elements. Text always becomes a text node, so nobody's message can become markup.

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(5).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

// A link that can only lead to the web or to mail.
export function link(url, label, attributes = {}) {
  const safe = /^(https?:|mailto:)/i.test(url);
  if (!safe) return el("span", {}, label);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer", ...attributes }, label);
}

export function clear(element, ...children) {
  element.replaceChildren(...children.flat(5).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function colour(value, otherwise = "#8a94a0") {
  return /^#?[0-9a-f]{6}$/i.test(value || "") ? "#" + value.replace("#", "") : otherwise;
}
