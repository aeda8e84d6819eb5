// The board asks what is to be seen every other second, and counts down in between.

const ASK = 2000;
const asked = new URLSearchParams(location.search).get("lang");
let language = asked ?? "fr";
let shown = null;
let offset = 0;

const $ = (id) => document.getElementById(id);

function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function draw(scene) {
  document.documentElement.lang = scene.language;
  document.documentElement.dir = scene.language === "ar" ? "rtl" : "ltr";
  document.title = scene.title;
  for (const id of ["title", "where", "course", "guests"]) $(id).textContent = scene[id];
  $("languages").replaceChildren(
    ...Object.entries(scene.languages).map(([code, name]) => {
      const button = make("button", name, { type: "button", lang: code });
      button.setAttribute("aria-pressed", String(code === scene.language));
      button.addEventListener("click", () => {
        language = code;
        ask();
      });
      return button;
    }),
  );
  $("tables").replaceChildren(
    ...scene.tables.map((table) => {
      const item = document.createElement("li");
      const people = document.createElement("ul");
      people.append(...table.people.map((name) => make("li", name)));
      item.append(make("h2", table.name), people);
      return item;
    }),
  );
  document.body.dataset.tables = scene.tables.length > 24 ? "many" : "few";
}

function count() {
  if (shown === null) return;
  const seconds =
    shown.until !== null ? Math.max(0, Math.round(shown.until - Date.now() / 1000 - offset)) : shown.left;
  $("countdown").hidden = seconds === null;
  if (seconds === null) return;
  const minutes = String(Math.floor(seconds / 60)).padStart(2, "0");
  $("countdown").textContent = `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
  $("countdown").classList.toggle("soon", seconds <= 30);
}

async function ask() {
  try {
    const answer = await fetch(`${location.pathname}/now?lang=${encodeURIComponent(language)}`);
    if (!answer.ok) throw new Error(String(answer.status));
    const scene = await answer.json();
    offset = scene.now - Date.now() / 1000;
    delete scene.now;
    if (JSON.stringify(scene) !== JSON.stringify(shown)) draw(scene);
    shown = scene;
    $("away").hidden = true;
  } catch {
    // What is shown stays; the dots say that it may be old.
    $("away").hidden = false;
  }
  count();
}

ask();
setInterval(ask, ASK);
setInterval(count, 250);
