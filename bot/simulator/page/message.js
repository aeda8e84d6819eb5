// Turns a message into DOM nodes. Text never becomes HTML: nodes are built from text and entities.

import { moment, size } from "./words.js";

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};
const BLOCKS = new Set(["BLOCKQUOTE", "PRE"]);
const SAFE_LINK = /^(https?|tg|mailto):/i;

// Makes an element: properties that are functions listen, "text" fills, the rest are attributes.
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon icon-${name}`);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const ICONS = {
  attach: "M8 12.5l6.200-6.200a3 3 0 014.300 4.300L10.300 18.800a5 5 0 01-7.100-7.100L11 4",
  send: "M4 5l17 7-17 7 3-7zM7 12h8",
  down: "M6 9l6 6 6-6",
  close: "M6 6l12 12M18 6L6 18",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  open: "M8 16L17 7M9 7h8v8",
  people: "M9 11a3.500 3.500 0 100-7 3.500 3.500 0 000 7zM3 20c0-4 2.500-6 6-6s6 2 6 6M16 4.500a3.500 3.500 0 010 6.500M17.500 14.500c2.200.800 3.500 2.700 3.500 5.500",
};

// `hands` does what taps mean: command, link, tap, notice.
export function messageNode(message, phone, hands) {
  const { words, language } = phone;
  const content = [];
  const { extra } = message;
  if (extra.forward_origin) {
    const name = extra.forward_origin.sender_user_name ?? "";
    content.push(el("p", { class: "from", text: words.forwarded.replace("{name}", name) }));
  }
  if (message.reply) content.push(el("p", { class: "reply", dir: "auto", text: message.reply }));
  if (message.photo) content.push(photoNode(message.photo, message.text || words.photo));
  if (message.document) content.push(documentNode(message.document, words, language));
  if (extra.sticker) content.push(el("p", { class: "sticker", text: extra.sticker.emoji, title: words.sticker }));
  for (const kind of ["voice", "contact", "location"]) {
    if (extra[kind]) content.push(el("p", { class: "other", text: otherText(kind, extra[kind], words) }));
  }
  if (message.text) content.push(textNode(message, phone, hands));
  const time = moment(message.date, message.offset, language, { hour: "2-digit", minute: "2-digit" });
  content.push(el("p", { class: "meta" },
    message.reaction ? el("span", { class: "reaction", text: message.reaction }) : null,
    message.edited ? el("span", { text: words.edited }) : null,
    el("time", { datetime: new Date(message.date * 1000).toISOString(), text: time })));
  const photo = message.photo ? " has-photo" : "";
  return el("article", { class: `message ${message.mine ? "mine" : "theirs"}${photo}`, "data-id": message.id },
    el("div", { class: "bubble" }, ...content),
    message.keyboard.length ? keyboardNode(message, hands) : null);
}

function otherText(kind, value, words) {
  if (kind === "voice") return `▶ ${words.voice} · ${value.duration} s`;
  if (kind === "contact") return `${words.contact} · ${value.first_name} ${value.phone_number}`;
  return `${words.location} · ${value.latitude.toFixed(3)}, ${value.longitude.toFixed(3)}`;
}

function photoNode(photo, alt) {
  return el("a", { class: "photo", href: photo.url, target: "_blank", rel: "noopener" },
    el("img", { src: photo.url, alt, width: photo.width, height: photo.height }));
}

function documentNode(file, words, language) {
  return el("a", { class: "file", href: file.url, download: file.name, title: words.document },
    el("span", { class: "file-icon" }, icon("file")),
    el("span", { class: "file-name" },
      el("bdi", { text: file.name }),
      el("small", { text: size(file.size, language) })));
}

function keyboardNode(message, hands) {
  const rows = message.keyboard.map((row) => el("div", { class: "keyboard-row" },
    ...row.map((button) => el("button", {
      type: "button", class: `key ${button.style ?? ""}`, disabled: button.disabled !== undefined,
      click: (event) => hands.tap(message, button, event.currentTarget),
    }, el("span", { dir: "auto", text: button.text }), button.url ? icon("open") : null))));
  return el("div", { class: "keyboard" }, ...rows);
}

function textNode(message, phone, hands) {
  const entities = [...message.entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const body = el("div", { class: "text", dir: "auto" });
  fill(body, message.text, 0, message.text.length, entities, phone, hands);
  return body;
}

// Offsets are UTF-16 units, which is what JavaScript's strings count in.
function fill(parent, text, start, end, entities, phone, hands) {
  let at = start;
  let rest = entities;
  while (rest.length) {
    const [entity, ...others] = rest;
    const stop = Math.min(entity.offset + entity.length, end);
    const inside = others.filter((other) => other.offset < stop);
    rest = others.slice(inside.length);
    parent.append(text.slice(at, entity.offset));
    const node = entityNode(entity, text.slice(entity.offset, stop), phone, hands);
    fill(node, text, entity.offset, stop, inside, phone, hands);
    parent.append(node);
    // A block ends its line by itself; the line break behind it would make another.
    at = BLOCKS.has(node.tagName) && text[stop] === "\n" ? stop + 1 : stop;
  }
  parent.append(text.slice(at, end));
}

function entityNode(entity, text, phone, hands) {
  switch (entity.type) {
    case "text_link":
    case "url":
    case "email": {
      const bare = entity.type === "email" ? `mailto:${text}` : /^\w+:/.test(text) ? text : `https://${text}`;
      const href = entity.url ?? bare;
      if (!SAFE_LINK.test(href)) return el("span");
      return el("a", {
        href, target: "_blank", rel: "noopener noreferrer",
        click: (event) => { if (hands.link(href)) event.preventDefault(); },
      });
    }
    case "bot_command":
      return el("button", { type: "button", class: "inline", click: () => hands.command(text) });
    case "spoiler":
      return el("span", {
        class: "spoiler", role: "button", tabindex: 0, "aria-label": phone.words.spoiler,
        click: reveal, keydown: (event) => { if (event.key === "Enter" || event.key === " ") reveal(event); },
      });
    case "date_time": {
      const shown = moment(entity.unix_time, entity.zone_offset, phone.language, {
        weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit",
      });
      const zone = (entity.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone).replaceAll("_", " ");
      const notice = `${phone.words.yourTime} (${zone}): ${shown}`;
      return el("button", { type: "button", class: "inline moment", title: notice, click: () => hands.notice(notice) });
    }
    case "expandable_blockquote":
      return el("blockquote", { class: "expandable", tabindex: 0 });
    default:
      return el(TAGS[entity.type] ?? "span");
  }
}

function reveal(event) {
  event.preventDefault();
  event.currentTarget.classList.add("shown");
  event.currentTarget.removeAttribute("aria-label");
}
