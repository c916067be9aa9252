/** Ctrl-K: every room and view by a few letters, and a question or a search from anywhere. */
import { html, useState } from "./view.js";
import { go, readAddress } from "./address.js";
import { t } from "./texts.js";
import { Dialog } from "./parts.js";

export function Palette({ rooms, close }) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const bot = readAddress().params.bot;
  const wanted = typed.trim().toLowerCase();
  const views = [
    ...rooms.map((room) => ({ words: t(room), parts: [room], params: { bot } })),
    { words: t("palette.unanswered"), parts: ["transcripts"], params: { bot, role: "user", has_rag_context: "no" } },
    { words: t("gaps.report"), parts: ["gaps"], params: { bot, state: "report" } },
    { words: t("knowledge.pages"), parts: ["knowledge"], params: { bot, view: "pages" } },
    { words: t("knowledge.upload"), parts: ["knowledge"], params: { bot, view: "upload" } },
  ].filter((view) => view.words.toLowerCase().includes(wanted));
  const found = wanted
    ? [...views, { words: t("palette.search", { text: typed }), parts: ["knowledge"], params: { bot, query: typed } },
       { words: t("palette.ask", { text: typed }), parts: ["ask"], params: { bot, question: typed } }]
    : views;
  const choose = (view) => {
    close();
    go(view.parts, view.params);
  };
  const press = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setAt((at + step + found.length) % found.length);
    } else if (event.key === "Enter" && found[at]) {
      event.preventDefault();
      choose(found[at]);
    }
  };
  return html`<${Dialog} title=${t("palette")} close=${close} kind="palette">
    <input type="text" role="combobox" aria-expanded="true" aria-controls="views" aria-activedescendant=${found[at] ? `view-${at}` : null}
      aria-label=${t("palette")} placeholder=${t("palette.hint")} autofocus value=${typed}
      onInput=${(event) => (setTyped(event.target.value), setAt(0))} onKeyDown=${press} />
    <ul id="views" role="listbox" aria-label=${t("palette")}>${found.map((view, place) =>
      html`<li id=${`view-${place}`} role="option" aria-selected=${place === at} onMouseMove=${() => setAt(place)} onClick=${() => choose(view)}>${view.words}</li>`)}</ul><//>`;
}
