/* rag-service: a chat on any page.

   <script src="HOST/widget.js" data-key="KEY" async></script>

   Everything stands in a shadow root, styled by a constructed sheet, so that a page's own styles and
   a policy without inline code leave it alone. Texts are text nodes, never HTML. Nothing is sent
   before the visitor writes, and what is kept here goes with the tab. */
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || !script.dataset.key || window.ragServiceWidget) return;
  window.ragServiceWidget = true;

  const host = new URL(".", script.src).href.replace(/\/$/, "");
  const { key, theme = "auto", position = "right" } = script.dataset;
  const TEXTS = {
    en: {
      title: "Ask us", greeting: "What would you like to know?", placeholder: "Your question",
      open: "Open the chat", close: "Close the chat", send: "Send", stop: "Stop",
      you: "You", us: "Answer", sources: "Sources", up: "Helpful", down: "Not helpful",
      erase: "Delete this conversation", erased: "The conversation is deleted.",
      agree: "Continue", busy: "Too many questions at once. Please wait a moment.",
      failed: "That did not work. Please try again.", stopped: "Stopped.", sure: "Delete for good?",
    },
    de: {
      title: "Fragen Sie uns", greeting: "Was möchten Sie wissen?", placeholder: "Ihre Frage",
      open: "Chat öffnen", close: "Chat schließen", send: "Senden", stop: "Anhalten",
      you: "Sie", us: "Antwort", sources: "Quellen", up: "Hilfreich", down: "Nicht hilfreich",
      erase: "Dieses Gespräch löschen", erased: "Das Gespräch ist gelöscht.",
      agree: "Weiter", busy: "Zu viele Fragen auf einmal. Bitte warten Sie einen Moment.",
      failed: "Das hat nicht geklappt. Bitte versuchen Sie es noch einmal.", stopped: "Angehalten.",
      sure: "Endgültig löschen?",
    },
    fr: {
      title: "Une question ?", greeting: "Que souhaitez-vous savoir ?", placeholder: "Votre question",
      open: "Ouvrir la discussion", close: "Fermer la discussion", send: "Envoyer", stop: "Arrêter",
      you: "Vous", us: "Réponse", sources: "Sources", up: "Utile", down: "Pas utile",
      erase: "Supprimer cette conversation", erased: "La conversation est supprimée.",
      agree: "Continuer", busy: "Trop de questions à la fois. Patientez un instant.",
      failed: "Cela n’a pas fonctionné. Veuillez réessayer.", stopped: "Arrêté.",
      sure: "Supprimer définitivement ?",
    },
    es: {
      title: "Pregúntenos", greeting: "¿Qué le gustaría saber?", placeholder: "Su pregunta",
      open: "Abrir el chat", close: "Cerrar el chat", send: "Enviar", stop: "Parar",
      you: "Usted", us: "Respuesta", sources: "Fuentes", up: "Útil", down: "No es útil",
      erase: "Borrar esta conversación", erased: "La conversación se ha borrado.",
      agree: "Continuar", busy: "Demasiadas preguntas a la vez. Espere un momento.",
      failed: "No ha funcionado. Inténtelo de nuevo.", stopped: "Detenido.",
      sure: "¿Borrar definitivamente?",
    },
    ar: {
      title: "اسألنا", greeting: "ماذا تود أن تعرف؟", placeholder: "سؤالك",
      open: "فتح المحادثة", close: "إغلاق المحادثة", send: "إرسال", stop: "إيقاف",
      you: "أنت", us: "الإجابة", sources: "المصادر", up: "مفيد", down: "غير مفيد",
      erase: "حذف هذه المحادثة", erased: "تم حذف المحادثة.",
      agree: "متابعة", busy: "أسئلة كثيرة دفعة واحدة. انتظر لحظة من فضلك.",
      failed: "لم ينجح ذلك. حاول مرة أخرى.", stopped: "تم الإيقاف.", sure: "حذف نهائي؟",
    },
  };
  const lang = script.dataset.lang || document.documentElement.lang || navigator.language || "en";
  const code = lang.toLowerCase().split("-")[0];
  const texts = { ...(TEXTS[code] || TEXTS.en) };
  for (const name of Object.keys(texts)) {
    const own = script.dataset[name];
    if (own !== undefined) texts[name] = own;
  }
  const isRightToLeft = /^(ar|he|fa|ur|ps|yi)$/.test(code);

  const STYLE = `
    :host { all: initial !important; display: block !important; position: fixed !important;
      z-index: 2147483647 !important; inset-block-end: 1rem !important;
      visibility: visible !important; opacity: 1 !important; pointer-events: none !important;
      color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif !important; }
    :host([data-position="right"]) { right: 1rem !important; }
    :host([data-position="left"]) { left: 1rem !important; }
    * { box-sizing: border-box; }
    .frame { --page: #fff; --text: #1c2024; --soft: #60646c; --line: #8b8d98; --mine: #e6edfe;
      --accent: #2f55c9; --on-accent: #fff; --wrong: #a82014; color: var(--text);
      display: flex; flex-direction: column; align-items: flex-end; gap: .75rem; }
    :host([data-position="left"]) .frame { align-items: flex-start; }
    .frame[data-theme="dark"] { --page: #18191b; --text: #edeef0; --soft: #b0b4ba; --line: #797b86;
      --mine: #1f2d5c; --accent: #9eb1ff; --on-accent: #11131f; --wrong: #ff9592; }
    @media (prefers-color-scheme: dark) { .frame[data-theme="auto"] { --page: #18191b;
      --text: #edeef0; --soft: #b0b4ba; --line: #797b86; --mine: #1f2d5c; --accent: #9eb1ff;
      --on-accent: #11131f; --wrong: #ff9592; } }
    button { font: inherit; color: inherit; background: none; border: 0; cursor: pointer;
      min-width: 2.75rem; min-height: 2.75rem; border-radius: .5rem; padding: 0 .6rem; }
    button[hidden] { display: none; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    .door { pointer-events: auto; width: 3.5rem; height: 3.5rem; border-radius: 50%; padding: 0;
      background: var(--accent); color: var(--on-accent); display: grid; place-items: center;
      box-shadow: 0 4px 16px rgb(0 0 0 / .25); }
    svg { width: 1.5rem; height: 1.5rem; fill: none; stroke: currentColor; stroke-width: 2;
      stroke-linecap: round; stroke-linejoin: round; }
    section { pointer-events: auto; display: flex; flex-direction: column; background: var(--page);
      width: min(24rem, calc(100vw - 2rem)); height: min(36rem, calc(100vh - 6.5rem));
      border: 1px solid var(--line); border-radius: .9rem; overflow: hidden;
      box-shadow: 0 12px 40px rgb(0 0 0 / .22); }
    section[hidden] { display: none; }
    header { display: flex; align-items: center; gap: .25rem; padding: .35rem .35rem .35rem 1rem;
      border-block-end: 1px solid var(--line); }
    [dir="rtl"] header { padding: .35rem 1rem .35rem .35rem; }
    h2 { font-size: 1rem; font-weight: 650; margin: 0; flex: 1; overflow: hidden;
      text-overflow: ellipsis; white-space: nowrap; }
    .talk { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 1rem; display: flex;
      flex-direction: column; gap: 1rem; }
    .turn { max-width: 92%; overflow-wrap: anywhere; }
    .turn > p { margin: 0; white-space: pre-wrap; }
    .user { align-self: flex-end; background: var(--mine); border-radius: .8rem;
      padding: .5rem .8rem; }
    .system { color: var(--soft); font-size: .875rem; align-self: center; text-align: center; }
    .wrong { color: var(--wrong); }
    ol { margin: .5rem 0 0; padding: 0; list-style: none; font-size: .875rem; }
    li { display: flex; gap: .4rem; }
    a { color: var(--accent); min-height: 1.5rem; }
    li span { color: var(--soft); }
    .rate { display: flex; margin-block-start: .25rem; margin-inline-start: -.6rem;
      color: var(--soft); }
    .rate svg { width: 1.1rem; height: 1.1rem; }
    .rate [aria-pressed="true"] { color: var(--accent); }
    .rate [aria-pressed="true"] svg { fill: currentColor; }
    form { display: flex; align-items: flex-end; gap: .35rem; padding: .6rem;
      border-block-start: 1px solid var(--line); }
    textarea { flex: 1; font: inherit; color: inherit; background: var(--page); resize: none;
      border: 1px solid var(--line); border-radius: .6rem; padding: .55rem .7rem; max-height: 8rem;
      min-height: 2.75rem; field-sizing: content; }
    textarea::placeholder { color: var(--soft); opacity: 1; }
    .send { background: var(--accent); color: var(--on-accent); padding: 0; }
    .agree { padding: .8rem 1rem; border-block-start: 1px solid var(--line); font-size: .875rem; }
    .agree p { margin: 0 0 .6rem; white-space: pre-wrap; }
    .agree button { background: var(--accent); color: var(--on-accent); padding: 0 1rem; }
    [hidden] { display: none !important; }
    .aloud { position: absolute; width: 1px; height: 1px; overflow: hidden;
      clip-path: inset(50%); white-space: nowrap; }
    .waits::after { content: ""; display: inline-block; width: .5rem; height: 1rem;
      background: var(--soft); vertical-align: -2px; animation: blink 1s steps(2) infinite; }
    @keyframes blink { 50% { opacity: 0; } }
    @media (prefers-reduced-motion: reduce) { .waits::after { animation: none; } }
    @media (max-width: 30rem) { section { height: min(36rem, calc(100vh - 5.5rem)); } }
    @media (forced-colors: active) { .door, .send, .agree button { border: 1px solid; } }`;

  /* -- pieces of the page ---------------------------------------------------------------------- */

  const ICONS = {
    chat: "M21 12a8 8 0 0 1-11.5 7.2L4 21l1.6-4.6A8 8 0 1 1 21 12z",
    close: "M6 6l12 12M18 6L6 18",
    send: "M5 12h14M13 6l6 6-6 6",
    stop: "M7 7h10v10H7z",
    erase: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
    up: "M7 11v9H4v-9zM7 11l4-8c1.7 0 2.5 1 2.2 2.6L12.5 9H19a2 2 0 0 1 2 2.3l-1.2 7A2 2 0 0 1 17.8 20H7",
    down: "M7 13V4H4v9zM7 13l4 8c1.7 0 2.5-1 2.2-2.6L12.5 15H19a2 2 0 0 0 2-2.3l-1.2-7A2 2 0 0 0 17.8 4H7",
  };

  function make(tag, props = {}, ...inside) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name in element && name !== "role") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...inside);
    return element;
  }

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  }

  const iconButton = (name, label, onclick, props = {}) =>
    make("button", { type: "button", "aria-label": label, title: label, onclick, ...props }, icon(name));

  /* -- what is kept, for as long as the tab is open ---------------------------------------------- */

  const memory = {};
  const slot = (name) => `rag-service:${host}:${key.slice(-6)}:${name}`;
  function recall(name) {
    try { return sessionStorage.getItem(slot(name)); } catch { return memory[name] ?? null; }
  }
  function remember(name, value) {
    try {
      if (value === null) sessionStorage.removeItem(slot(name));
      else sessionStorage.setItem(slot(name), value);
    } catch { memory[name] = value; }
  }

  /* -- the service ------------------------------------------------------------------------------ */

  async function call(method, path, body, signal) {
    const headers = { Authorization: `Bearer ${key}` };
    if (path !== "session") headers["X-Widget-Session"] = recall("session") || "";
    if (body) headers["Content-Type"] = "application/json";
    const answer = await fetch(`${host}/widget/${path}`, {
      method, headers, signal, body: body && JSON.stringify(body),
      credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store",
    });
    if (answer.ok) return answer;
    const fault = await answer.json().then((it) => it.error, () => null);
    throw Object.assign(new Error(fault?.message || answer.statusText), {
      status: answer.status, code: fault?.code,
    });
  }

  async function begin() {
    const answer = await call("POST", "session", { session: recall("session") || undefined });
    remember("session", (await answer.json()).data.session);
  }

  /** With a session, which is begun or renewed where there is none that holds. */
  async function withSession(action) {
    if (!recall("session")) await begin();
    try {
      return await action();
    } catch (error) {
      if (error.code !== "INVALID_SESSION") throw error;
      await begin();
      return action();
    }
  }

  async function* events(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value;
      const frames = rest.split("\n\n");
      rest = frames.pop();
      for (const frame of frames) {
        const name = /^event: (.*)$/m.exec(frame);
        const data = /^data: (.*)$/m.exec(frame);
        if (name && data) yield [name[1], JSON.parse(data[1])];
      }
    }
  }

  /* -- the chat --------------------------------------------------------------------------------- */

  const talk = make("div", { className: "talk", tabIndex: 0, role: "region", "aria-label": texts.title });
  const aloud = make("div", { className: "aloud", role: "log", "aria-live": "polite" });
  const input = make("textarea", {
    rows: 1, maxLength: 4000, placeholder: texts.placeholder, "aria-label": texts.placeholder,
    onkeydown(event) {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        send();
      }
    },
  });
  const sendButton = iconButton("send", texts.send, null, { type: "submit", className: "send" });
  const stopButton = iconButton("stop", texts.stop, () => asking?.abort(), {
    className: "send", hidden: true,
  });
  const form = make("form", {
    onsubmit(event) {
      event.preventDefault();
      send();
    },
  }, input, sendButton, stopButton);
  const eraseButton = iconButton("erase", texts.erase, erase, { hidden: true });
  const consent = make("div", { className: "agree", hidden: true },
    make("p", {}, script.dataset.consent || ""),
    make("button", {
      type: "button",
      onclick() {
        remember("consent", "yes");
        askConsent();
        input.focus();
      },
    }, texts.agree));
  const panel = make("section", { hidden: true, role: "dialog", "aria-label": texts.title },
    make("header", {}, make("h2", {}, texts.title), eraseButton,
      iconButton("close", texts.close, () => toggle(false))),
    talk, aloud, consent, form);
  const door = iconButton("chat", texts.open, () => toggle(panel.hidden), {
    className: "door", "aria-expanded": "false",
  });
  const frame = make("div", {
    className: "frame", lang: TEXTS[code] ? code : "en", dir: isRightToLeft ? "rtl" : "ltr",
    "data-theme": ["light", "dark"].includes(theme) ? theme : "auto",
    onkeydown(event) {
      event.stopPropagation(); // a page's shortcuts are not meant
      if (event.key === "Escape" && !panel.hidden) toggle(false);
    },
  }, panel, door);
  let asking = null;
  let isLoaded = false;

  function toggle(opens) {
    panel.hidden = !opens;
    door.setAttribute("aria-expanded", String(opens));
    const label = opens ? texts.close : texts.open;
    door.setAttribute("aria-label", label);
    door.title = label;
    door.replaceChildren(icon(opens ? "close" : "chat"));
    if (!opens) return door.focus();
    askConsent();
    (form.hidden ? consent.querySelector("button") : input).focus();
    if (!isLoaded) load();
  }

  function askConsent() {
    const isOwed = Boolean(script.dataset.consent) && recall("consent") !== "yes";
    consent.hidden = !isOwed;
    form.hidden = isOwed;
  }

  /** What was said before in this tab. Without a session nothing is asked of the service. */
  async function load() {
    isLoaded = true;
    if (texts.greeting) say("system", texts.greeting);
    if (!recall("session")) return;
    try {
      const answer = await withSession(() => call("GET", "conversation"));
      for (const message of (await answer.json()).data.messages) {
        const turn = say(message.role, message.content);
        if (message.role === "assistant") finish(turn, message);
      }
    } catch {
      say("system", texts.failed, "wrong");
    }
  }

  function say(role, text, extra = "") {
    const paragraph = make("p", {}, text);
    const who = role === "user" ? texts.you : role === "assistant" ? texts.us : "";
    const turn = make("div", { className: `turn ${role} ${extra}` },
      ...(who ? [make("span", { className: "aloud" }, `${who}: `)] : []), paragraph);
    talk.append(turn);
    talk.scrollTop = talk.scrollHeight;
    if (role === "user") eraseButton.hidden = false;
    return turn;
  }

  async function send() {
    const message = input.value.trim();
    if (!message || asking) return;
    input.value = "";
    say("user", message);
    const turn = say("assistant", "");
    const paragraph = turn.querySelector("p");
    turn.setAttribute("aria-hidden", "true"); // it is read aloud once, when it is whole
    paragraph.className = "waits";
    asking = new AbortController();
    sendButton.hidden = true;
    stopButton.hidden = false;
    let whole = null;
    try {
      const address = new URL(location.href);
      address.hash = "";
      const question = {
        message, pageUrl: address.href.slice(0, 2000), pageTitle: document.title.slice(0, 2000) || undefined,
      };
      const { signal } = asking;
      const answer = await withSession(() => call("POST", "stream", question, signal));
      for await (const [name, data] of events(answer.body)) {
        if (name === "delta") paragraph.textContent += data.text;
        if (name === "error") throw new Error(data.message);
        if (name === "done") whole = data;
        talk.scrollTop = talk.scrollHeight;
      }
      if (!whole) throw new Error("cut off");
      finish(turn, { id: whole.messageId, sources: whole.hasRagContext ? whole.sources : [] });
    } catch (error) {
      const isStopped = error.name === "AbortError";
      if (!paragraph.textContent) turn.remove();
      const why = isStopped ? texts.stopped : error.status === 429 ? texts.busy : texts.failed;
      say("system", why, isStopped ? "" : "wrong");
      aloud.append(make("p", {}, why));
      if (!isStopped && !paragraph.textContent && !input.value) input.value = message;
    } finally {
      asking = null;
      paragraph.className = "";
      turn.removeAttribute("aria-hidden");
      sendButton.hidden = false;
      stopButton.hidden = true;
      if (whole) aloud.append(make("p", {}, `${texts.us}: ${paragraph.textContent}`));
      talk.scrollTop = talk.scrollHeight;
      if (!panel.hidden) input.focus();
    }
  }

  /** Its sources and thumbs, below an answer that is whole. */
  function finish(turn, { id, sources, rating = null }) {
    if (sources.length) {
      const rows = sources.map((source, at) => {
        const name = source.title || source.sourceUrl || source.text.slice(0, 60);
        const link = /^https?:/i.test(source.sourceUrl)
          ? make("a", { href: source.sourceUrl, target: "_blank", rel: "noopener noreferrer" }, name)
          : make("span", {}, name);
        return make("li", {}, make("span", {}, `[${at + 1}]`), link);
      });
      turn.append(make("ol", { "aria-label": texts.sources }, ...rows));
    }
    const thumbs = ["up", "down"].map((way) =>
      iconButton(way, texts[way], () => rate(id, way, thumbs), {
        "aria-pressed": String(rating === way), "data-way": way,
      }));
    turn.append(make("div", { className: "rate" }, ...thumbs));
  }

  async function rate(messageId, way, thumbs) {
    const pressed = thumbs.find((thumb) => thumb.dataset.way === way);
    const rating = pressed.getAttribute("aria-pressed") === "true" ? null : way;
    try {
      await withSession(() => call("POST", "feedback", { messageId, rating }));
      for (const thumb of thumbs) thumb.setAttribute("aria-pressed", String(thumb.dataset.way === rating));
    } catch (error) {
      say("system", error.status === 429 ? texts.busy : texts.failed, "wrong");
    }
  }

  async function erase() {
    if (!window.confirm(`${texts.erase}. ${texts.sure}`)) return;
    asking?.abort();
    try {
      await withSession(() => call("DELETE", "conversation"));
      remember("session", null);
      talk.replaceChildren();
      aloud.replaceChildren(make("p", {}, texts.erased));
      eraseButton.hidden = true;
      say("system", texts.erased);
      input.focus();
    } catch {
      say("system", texts.failed, "wrong");
    }
  }

  function mount() {
    const root = make("div", { "data-position": position === "left" ? "left" : "right" });
    const shadow = root.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];
    shadow.append(frame);
    document.body.append(root);
  }

  if (document.body) mount();
  else document.addEventListener("DOMContentLoaded", mount);
})();
