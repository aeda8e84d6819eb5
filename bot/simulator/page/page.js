// The stage: phones side by side, the time above them, and the stream of what happens.

import { el } from "./message.js";
import { avatar, Phone } from "./phone.js";
import { moment } from "./words.js";

class Stage {
  people = new Map();
  unread = new Map();
  answeredEarly = new Set();
  phones = [];
  chosen = 0;

  open() {
    this.listen();
    this.bindTime();
    setInterval(() => this.drawClock(), 250);
  }

  // `chats` says whether what the phones show may have changed too.
  async loadState(chats = true) {
    const state = await this.get("state");
    if (!state) return;
    this.username = state.username;
    this.people = new Map(state.people.map((person) => [person.id, person]));
    this.setTime(state.time);
    if (!this.phones.length) {
      for (const id of state.phones) this.phones.push(new Phone(this, id));
      document.getElementById("phones").replaceChildren(...this.phones.map((phone) => phone.root));
    } else if (chats) {
      await Promise.all(this.phones.map((phone) => phone.load()));
    }
    this.drawTabs();
  }

  // The browser's EventSource comes back by itself; each time, all is loaded anew.
  listen() {
    const source = new EventSource("/stage/events");
    source.onopen = () => { document.getElementById("offline").hidden = true; };
    source.onerror = () => {
      document.getElementById("offline").hidden = false;
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.listen(), 1000);
    };
    source.onmessage = ({ data }) => this.hear(JSON.parse(data));
  }

  hear(event) {
    if (event.kind === "hello") return this.loadState();
    if (event.kind === "time") return this.setTime(event.time);
    if (event.kind === "people") return this.reloadSoon(false);
    if (event.kind === "profile") return this.reloadSoon(true);
    if (event.kind === "answered") this.answeredEarly.add(event.query);
    const phones = this.phones.filter((phone) => phone.personId === event.chat);
    for (const phone of phones) phone.hear(event);
    if (event.kind === "message") this.note(event, phones.length > 0);
  }

  note({ chat, message }, seen) {
    const person = this.people.get(chat);
    if (!person) return this.reloadSoon(false);
    person.last = message.preview;
    const inSight = seen && (!this.narrow() || this.phones[this.chosen].personId === chat);
    if (inSight || message.mine) return;
    this.unread.set(chat, (this.unread.get(chat) ?? 0) + 1);
    this.drawTabs();
  }

  // Many changes come together, as when a bot dresses: one look at the end is enough.
  reloadSoon(chats) {
    this.reloadChats ||= chats;
    clearTimeout(this.reloading);
    this.reloading = setTimeout(() => {
      this.loadState(this.reloadChats);
      this.reloadChats = false;
    }, 300);
  }

  // Tabs, for screens that have room for one phone

  narrow() {
    return getComputedStyle(document.getElementById("tabs")).display !== "none";
  }

  drawTabs() {
    const tabs = document.getElementById("tabs");
    tabs.replaceChildren(...this.phones.map((phone, index) => {
      const chosen = index === this.chosen;
      phone.root.classList.toggle("chosen", chosen);
      const unread = chosen ? 0 : this.unread.get(phone.personId);
      return el("button", {
        type: "button", role: "tab", lang: phone.language, "aria-selected": String(chosen), "aria-controls": phone.root.id, click: () => this.choose(index),
      }, avatar(phone.person), el("bdi", { text: phone.person.name.split(" ")[0] }),
      unread ? el("span", { class: "unread", text: unread }) : null);
    }));
  }

  choose(index) {
    this.chosen = index;
    this.unread.delete(this.phones[index].personId);
    this.drawTabs();
    this.phones[index].scrollDown("instant");
    document.querySelectorAll("#tabs [role=tab]")[index].focus();
  }

  // Time

  setTime(time) {
    this.time = time && { ...time, at: performance.now() };
    document.getElementById("time").hidden = !time;
    for (const button of document.querySelectorAll("[data-speed]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === time?.speed));
    }
    this.drawClock();
  }

  drawClock() {
    if (!this.time) return;
    const { now, speed, home, at } = this.time;
    const moved = now + ((performance.now() - at) / 1000) * speed;
    const clock = { hour: "2-digit", minute: "2-digit" };
    const date = { weekday: "short", day: "numeric", month: "long", year: "numeric" };
    document.getElementById("clock-date").textContent = moment(moved, home, "en", date);
    document.getElementById("clock-utc").textContent = moment(moved, 0, "en", clock);
    document.getElementById("clock-home").textContent = moment(moved, home, "en", clock);
  }

  bindTime() {
    document.getElementById("time").addEventListener("click", async ({ target }) => {
      const button = target.closest("button");
      if (!button || button.getAttribute("aria-busy") === "true") return;
      const { advance, speed } = button.dataset;
      button.setAttribute("aria-busy", "true");
      const answer = advance ? await this.post("time/advance", { seconds: Number(advance) })
        : speed ? await this.post("time/speed", { factor: Number(speed) })
          : await this.post("time/reminder", {});
      button.removeAttribute("aria-busy");
      this.say(answer?.said ?? "");
    });
  }

  say(words) {
    document.getElementById("said").textContent = words;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => { document.getElementById("said").textContent = ""; }, 5000);
  }

  // The server

  async get(path) {
    return this.fetch(path, {});
  }

  async post(path, body, headers = { "Content-Type": "application/json" }) {
    const sent = body instanceof Blob ? body : JSON.stringify(body);
    return this.fetch(path, { method: "POST", body: sent, headers });
  }

  async fetch(path, options) {
    try {
      const answer = await fetch(`/stage/${path}`, options);
      return await answer.json();
    } catch {
      // The event stream notices as well, says so and loads everything when it is back.
      return null;
    }
  }
}

new Stage().open();
