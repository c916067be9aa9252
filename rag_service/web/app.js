/** The page: who is signed in, which room the address names, and what is in reach everywhere. */
import { html, render, useState, useEffect } from "./view.js";
import { Palette } from "./palette.js";
import { to, go, setParams, useAddress } from "./address.js";
import { session, tokenOfAddress } from "./session.js";
import { t, loadTexts, LANGUAGES, language, chooseLanguage } from "./texts.js";
import { Fault, bots, useLoad } from "./parts.js";
import { SignIn } from "./signin.js";
import { identify } from "./api.js";
import { Ask } from "./ask.js";
import { talk } from "./talk.js";

/** Rooms are read when they are entered; the first one comes with the page. */
const ROOMS = {
  ask: async () => Ask,
  gaps: async () => (await import("./gaps.js")).Gaps,
  knowledge: async () => (await import("./knowledge.js")).Knowledge,
  transcripts: async () => (await import("./transcripts.js")).Transcripts,
  contacts: async () => (await import("./contacts.js")).Contacts,
  health: async () => (await import("./health.js")).Health,
};
const THEME = "rag-service theme";

function Page() {
  const [, draw] = useState(0);
  const [entered, setEntered] = useState(null);
  useEffect(() => session.watch(() => draw((turn) => turn + 1)), []);
  useEffect(() => {
    const enter = async () => {
      const given = tokenOfAddress();
      const token = given ?? session.token;
      if (!token) return setEntered({});
      try {
        const holder = await identify(token);
        given ? session.signIn(token, holder, false) : (session.holder = holder);
        setEntered({});
      } catch (error) {
        if (error.status === 401) session.signOut();
        setEntered({ error });
      }
    };
    enter();
    const typed = () => location.hash.startsWith("#token=") && enter();
    addEventListener("hashchange", typed);
    return () => removeEventListener("hashchange", typed);
  }, []);
  if (!entered) return html`<div class="signin"><span class="brand"><img src="icon.svg" alt="" />rag-service</span><p class="hidden" role="status">${t("loading")}</p></div>`;
  if (!session.holder) return html`<${SignIn} fault=${entered.error} />`;
  return html`<${Shell} /><div id="toast" class="toast" role="status"></div>${session.wanted && html`<${SignIn} over />`}`;
}

function Shell() {
  const { room, params } = useAddress();
  const [Room, setRoom] = useState(null);
  const [open, setOpen] = useState(false);
  const [isSought, setSought] = useState(false);
  const [fault, setFault] = useState(null);
  const known = Object.hasOwn(ROOMS, room) ? room : "ask";
  useEffect(() => {
    let left = false;
    document.title = `${t(known)} · rag-service`;
    setOpen(false);
    setFault(null);
    ROOMS[known]().then((found) => left || setRoom({ is: found, name: known }), (error) => left || setFault(error));
    return () => (left = true);
  }, [known]);
  const openPalette = () => setSought(true); // it is here already: what is typed next is meant for it
  useEffect(() => {
    const press = (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        openPalette();
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  const shown = Room?.name === known && Room.is;
  return html`<a class="skip" href="#main" onClick=${(event) => (event.preventDefault(), document.getElementById("main").focus())}>${t("skip")}</a>
    <div class="shell">
      <div class="bar"><span class="brand"><img src="icon.svg" alt="" />${t(known)}</span>
        <button aria-expanded=${open} aria-controls="nav" onClick=${() => setOpen(!open)}>${t("menu")}</button></div>
      <header id="nav" class=${`nav ${open ? "open" : ""}`}>
        <span class="brand"><img src="icon.svg" alt="" />rag-service</span>
        <${BotChooser} />
        <nav aria-label=${t("rooms")}>${Object.keys(ROOMS).map((name) =>
          html`<a href=${to(name === "ask" && talk.conversation ? [name, talk.conversation] : [name], { bot: params.bot })} aria-current=${name === known ? "page" : null}>${t(name)}</a>`)}</nav>
        <div class="foot stack"><button class="plain" onClick=${openPalette}>${t("palette")} <kbd>Ctrl K</kbd></button><${Preferences} /></div>
      </header>
      <main id="main" tabindex="-1">${fault ? html`<${Fault} error=${fault} again=${() => location.reload()} />` : shown && html`<${shown} />`}</main>
    </div>
    ${isSought && html`<${Palette} rooms=${Object.keys(ROOMS)} close=${() => setSought(false)} />`}`;
}

/** The bot of all rooms; a token that is bound to one has no choice. */
function BotChooser() {
  const { params } = useAddress();
  const all = useLoad(() => bots.load(), []);
  const bound = session.holder.bot_id;
  const names = bound ? [bound] : (all.value ?? []).map((bot) => bot.id);
  if (names.length < 2 && !params.bot) return null;
  const shown = params.bot && !names.includes(params.bot) ? [...names, params.bot] : names;
  return html`<label class="field"><span>${t("bot")}</span><select value=${params.bot ?? ""}
    onChange=${(event) => setParams({ bot: event.target.value, offset: null })}>
    <option value="">${t("bot.all")}</option>${shown.map((name) => html`<option value=${name} selected=${name === params.bot}>${name}</option>`)}</select></label>`;
}

function Preferences() {
  const [theme, setTheme] = useState(localStorage.getItem(THEME) ?? "");
  const choose = (value) => {
    localStorage.setItem(THEME, value);
    applyTheme();
    setTheme(value);
  };
  const leave = () => {
    bots.known = null;
    session.signOut();
    go(["ask"]);
  };
  return html`<details><summary class="small">${session.holder.name}</summary><div class="stack">
    <label class="field"><span>${t("theme")}</span><select value=${theme} onChange=${(event) => choose(event.target.value)}>
      ${["", "light", "dark"].map((value) => html`<option value=${value} selected=${value === theme}>${t(`theme.${value || "system"}`)}</option>`)}</select></label>
    <label class="field"><span>${t("language")}</span><select onChange=${(event) => chooseLanguage(event.target.value)}>
      ${Object.entries(LANGUAGES).map(([code, name]) => html`<option value=${code} lang=${code} selected=${code === language}>${name}</option>`)}</select></label>
    <button onClick=${leave}>${t("signout")}</button></div></details>`;
}

function applyTheme() {
  document.documentElement.dataset.theme = localStorage.getItem(THEME) ?? "";
}

applyTheme();
await loadTexts();
const root = document.getElementById("page");
root.replaceChildren(); // what stood there until now
render(html`<${Page} />`, root);
