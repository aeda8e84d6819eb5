// One phone: a chat with the bot on somebody's screen, and what their hands do to it.

import { el, icon, messageNode } from "./message.js";
import { directionOf, moment, wordsFor } from "./words.js";

const NEAR_THE_END = 140; // pixels: closer than that, new messages scroll into sight
const TYPING_LASTS = 5000; // milliseconds. Source: Bot API, "sendChatAction"
const SPINNER_LASTS = 15000;
const TOAST_LASTS = 4000;

export class Phone {
  constructor(stage, personId) {
    this.stage = stage;
    this.queries = new Map();
    this.root = el("section", { class: "phone", role: "tabpanel", id: `phone-${stage.phones.length}-${personId}` });
    this.show(personId);
  }

  get person() {
    return this.stage.people.get(this.personId);
  }

  // Shows somebody's phone from scratch.
  async show(personId) {
    this.personId = personId;
    this.stage.unread.delete(personId);
    this.language = ["fr", "ar"].includes(this.person.language) ? this.person.language : "en";
    this.words = wordsFor(this.language);
    this.queries.clear();
    this.build();
    this.stage.drawTabs();
    await this.load();
  }

  async load() {
    const personId = this.personId;
    // What is heard while the chat is on its way may be newer than it: kept, and heard again.
    const meanwhile = this.meanwhile = [];
    const chat = await this.stage.get(`chats/${personId}`);
    if (this.meanwhile === meanwhile) this.meanwhile = null;
    if (!chat || personId !== this.personId) return;
    this.title.textContent = chat.bot;
    this.about.textContent = chat.about || this.words.hint;
    this.commands = chat.commands;
    this.drawReplyKeyboard(chat.keyboard);
    this.log.setAttribute("aria-busy", "true"); // a whole chat is not news
    this.log.replaceChildren(this.empty);
    this.lastDay = "";
    for (const message of chat.messages) this.append(message);
    this.drawEmpty();
    this.scrollDown("instant");
    this.log.removeAttribute("aria-busy");
    for (const event of meanwhile) this.hear(event);
  }

  build() {
    const { words } = this;
    this.root.lang = this.language;
    this.root.dir = directionOf(this.language);
    this.root.setAttribute("aria-label", this.person.name);
    this.title = el("strong", { dir: "auto", text: "…" });
    this.subtitle = el("small", { text: words.bot });
    this.about = el("p", { dir: "auto" });
    this.empty = el("div", { class: "empty" }, el("img", { src: "bridge.svg", alt: "" }), this.about);
    this.log = el("div", { class: "log", role: "log", "aria-live": "polite", tabindex: 0, "aria-label": words.chats });
    this.down = el("button", { type: "button", class: "down", title: words.down, hidden: true, click: () => this.scrollDown() }, icon("down"));
    this.log.addEventListener("scroll", () => { if (this.nearTheEnd()) this.down.hidden = true; });
    this.overlay = el("div", { class: "overlay", hidden: true });
    this.overlay.addEventListener("keydown", (event) => { if (event.key === "Escape") this.closeOverlay(); });
    this.toasts = el("div", { class: "toasts", role: "status" });
    this.root.replaceChildren(
      el("header", { class: "phone-top" },
        el("img", { class: "avatar", src: "bridge.svg", alt: "" }),
        el("div", { class: "phone-title" }, this.title, this.subtitle),
        el("button", { type: "button", class: "whose", title: words.chooseChat, "aria-haspopup": "dialog", click: () => this.openPeople() },
          avatar(this.person), el("bdi", { text: this.person.name }), icon("down"))),
      el("div", { class: "screen" }, this.log, this.down, this.toasts, this.overlay),
      this.buildComposer());
  }

  buildComposer() {
    const { words } = this;
    this.replyKeys = el("div", { class: "reply-keys", hidden: true });
    this.box = el("textarea", { rows: 1, dir: "auto", placeholder: words.write, "aria-label": words.write, enterkeyhint: "send" });
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.form.requestSubmit();
      }
    });
    const chosen = el("input", { type: "file", hidden: true, change: () => this.attach(chosen) });
    this.form = el("form", { class: "composer", submit: (event) => { event.preventDefault(); this.send(); } },
      el("button", { type: "button", class: "round", title: words.commands, "aria-label": words.commands, "aria-haspopup": "dialog", text: "/", click: () => this.openCommands() }),
      this.box,
      el("button", { type: "button", class: "round", title: words.attach, click: () => chosen.click() }, icon("attach")),
      el("button", { class: "round send", title: words.send }, icon("send")),
      chosen);
    this.start = el("button", { type: "button", class: "start", text: words.start, hidden: true, click: () => this.says("/start") });
    return el("footer", {}, this.start, this.replyKeys, this.form);
  }

  // What the server tells

  hear(event) {
    if ("message" in event || event.kind === "deleted") this.meanwhile?.push(event);
    if (event.kind === "message" || event.kind === "edited") this.put(event.message, event.kind);
    else if (event.kind === "deleted") this.find(event.about)?.remove();
    else if (event.kind === "typing") this.showTyping();
    else if (event.kind === "answered") this.answered(event);
  }

  put(message, kind) {
    const old = this.find(message.id);
    const atEnd = this.nearTheEnd();
    const held = old?.contains(document.activeElement);
    if (old) old.replaceWith(this.node(message));
    else if (kind === "message") this.append(message);
    const fresh = this.find(message.id);
    fresh?.classList.add(kind === "edited" ? "changed" : "new");
    if (held) fresh.querySelector(".key")?.focus({ preventScroll: true });
    if (!message.mine) this.subtitle.textContent = this.words.bot;
    this.drawEmpty();
    if (kind === "message" && (atEnd || message.mine)) this.scrollDown();
    else if (kind === "message") this.down.hidden = false;
    else if (atEnd) this.scrollDown("instant");
  }

  append(message) {
    const day = moment(message.date, message.offset, this.language, { weekday: "long", day: "numeric", month: "long" });
    if (day !== this.lastDay) {
      this.lastDay = day;
      this.log.append(el("p", { class: "day" }, el("span", { text: day })));
    }
    this.log.append(this.node(message));
  }

  node(message) {
    return messageNode(message, this, {
      tap: (tapped, button, key) => this.tap(tapped, button, key),
      command: (text) => this.says(text),
      link: (href) => this.followDeepLink(href),
      notice: (text) => this.toast(text),
    });
  }

  answered({ query, text, show_alert: alert, url }) {
    this.queries.get(query)?.();
    if (text && alert) this.openAlert(text);
    else if (text) this.toast(text);
    if (url) this.followDeepLink(url);
  }

  showTyping() {
    this.subtitle.textContent = this.words.typing;
    clearTimeout(this.typing);
    this.typing = setTimeout(() => { this.subtitle.textContent = this.words.bot; }, TYPING_LASTS);
  }

  // What hands do

  send() {
    const text = this.box.value.trim();
    if (!text) return;
    this.box.value = "";
    this.says(text);
  }

  says(text) {
    this.closeOverlay();
    return this.act("says", { text });
  }

  async tap(message, button, key) {
    if (button.url !== undefined) {
      if (!this.followDeepLink(button.url)) window.open(button.url, "_blank", "noopener,noreferrer");
      return;
    }
    // In Telegram a chat is chosen, and this stands in its typing box: there is no other chat here.
    if (button.switch_inline_query !== undefined) {
      this.toast(`@${this.stage.username} ${button.switch_inline_query}`);
      return;
    }
    if (key.getAttribute("aria-busy") === "true") return;
    key.setAttribute("aria-busy", "true");
    const stop = () => key.removeAttribute("aria-busy");
    const answer = await this.act("taps", { message: message.id, data: button.callback_data });
    if (!answer?.query || this.stage.answeredEarly.has(answer.query)) return stop();
    this.queries.set(answer.query, stop);
    setTimeout(stop, SPINNER_LASTS);
  }

  async attach(input) {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    const type = file.type || "application/octet-stream";
    // What stands in the box goes with it, as its caption.
    const caption = this.box.value.trim();
    this.box.value = "";
    const about = new URLSearchParams({ name: file.name, caption });
    await this.act(`attaches?${about}`, file, { "Content-Type": type });
  }

  // Opens t.me/<bot>?start=... inside the phone; false if the link leads elsewhere.
  followDeepLink(href) {
    const url = URL.canParse(href) ? new URL(href) : null;
    if (!url) return false;
    const bot = url.protocol === "tg:" ? url.searchParams.get("domain") : url.host === "t.me" && url.pathname.slice(1);
    if (!bot || bot.toLowerCase() !== this.stage.username.toLowerCase()) return false;
    this.says(`/start ${url.searchParams.get("start") ?? ""}`.trim());
    return true;
  }

  async act(deed, body, headers) {
    const answer = await this.stage.post(`chats/${this.personId}/${deed}`, body, headers);
    if (answer?.problem) this.toast(answer.problem);
    return answer;
  }

  // What lies over the chat

  openPeople() {
    const search = el("input", { type: "search", placeholder: this.words.search, "aria-label": this.words.search });
    const list = el("ul", { class: "people" });
    const draw = () => {
      const wanted = plain(search.value);
      const found = [...this.stage.people.values()].filter((person) => plain(person.name).includes(wanted));
      list.replaceChildren(...found.map((person) => this.personRow(person)));
      if (!found.length) list.append(el("li", { class: "nobody", text: this.words.nobody }));
    };
    search.addEventListener("input", draw);
    draw();
    this.openOverlay(this.words.chats, search, list);
    search.focus();
  }

  personRow(person) {
    const unread = this.stage.unread.get(person.id);
    return el("li", {}, el("button", {
      type: "button", class: "person", "aria-current": person.id === this.personId ? "true" : null,
      click: () => this.show(person.id),
    },
    avatar(person),
    el("span", { class: "person-name" },
      el("span", {}, el("bdi", { text: person.name })),
      el("small", {}, el("bdi", { text: person.last || "—" }))),
    unread ? el("span", { class: "unread", text: unread }) : el("span", { class: "language", text: person.language })));
  }

  openCommands() {
    const rows = this.commands.map(({ command, description }) => el("li", {}, el("button", {
      type: "button", class: "command", click: () => this.says(`/${command}`),
    }, el("code", { dir: "ltr", text: `/${command}` }), el("span", { dir: "auto", text: description }))));
    this.openOverlay(this.words.commands, el("ul", { class: "commands" }, ...rows));
    this.overlay.classList.add("sheet");
    this.overlay.querySelector("li button, .close").focus();
  }

  openAlert(text) {
    const done = el("button", { type: "button", class: "done", text: this.words.ok, click: () => this.closeOverlay() });
    this.openOverlay("", el("p", { class: "alert-text", dir: "auto", text }), done);
    this.overlay.classList.add("alert");
    done.focus();
  }

  openOverlay(title, ...content) {
    this.overlay.className = "overlay";
    this.overlay.replaceChildren(el("div", { class: "panel", role: "dialog", "aria-label": title || this.words.ok },
      title ? el("header", {}, el("strong", { text: title }),
        el("button", { type: "button", class: "close", title: this.words.close, click: () => this.closeOverlay() }, icon("close"))) : null,
      ...content));
    this.overlay.hidden = false;
  }

  closeOverlay() {
    if (this.overlay.hidden) return;
    this.overlay.hidden = true;
    this.overlay.replaceChildren();
    this.box.focus({ preventScroll: true });
  }

  toast(text) {
    const toast = el("p", { class: "toast", dir: "auto", text });
    this.toasts.replaceChildren(toast);
    setTimeout(() => toast.remove(), TOAST_LASTS);
  }

  drawReplyKeyboard(rows) {
    this.replyKeys.hidden = !rows.length;
    this.replyKeys.replaceChildren(...rows.map((row) => el("div", { class: "keyboard-row" },
      ...row.map((key) => el("button", { type: "button", class: "key", dir: "auto", text: key.text, click: () => {
        if (key.request_contact) this.act("shares", { what: "contact" });
        else if (key.request_location) this.act("shares", { what: "location" });
        else this.says(key.text);
      } })))));
  }

  drawEmpty() {
    const empty = !this.log.querySelector(".message");
    this.empty.hidden = !empty;
    this.start.hidden = !empty;
  }

  find(id) {
    return this.log.querySelector(`[data-id="${id}"]`);
  }

  nearTheEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_THE_END;
  }

  scrollDown(behavior = "smooth") {
    this.down.hidden = true;
    this.log.scrollTo({ top: this.log.scrollHeight, behavior });
  }
}

export function avatar(person) {
  const initials = person.name.split(/\s+/).map((word) => [...word][0]).slice(0, 2).join("");
  return el("span", { class: `avatar hue-${person.id % 6}`, "aria-hidden": "true", text: initials });
}

// Letters without accents, so that "helene" finds "Hélène".
function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
