/** A passage marked in its document, beside what cites it. */
import { html, useEffect, useRef } from "./view.js";
import { api } from "./api.js";
import { session } from "./session.js";
import { t } from "./texts.js";
import { to, setParams } from "./address.js";
import { Loaded, useLoad, Empty } from "./parts.js";
import { Link } from "./prose.js";

/** Parameters of an address that open a source in the panel. */
export const opened = (source) => ({ doc: source.sourceUrl ?? source.source_url, chunk: source.chunk_id ?? null, begins: source.chunk_id ? null : beginning(source.text) });
export const closed = { doc: null, chunk: null, begins: null };
/** By which a passage is known where it has no id. */
export const beginning = (text) => text.slice(0, 120);

export const openSource = (source) => setParams(opened(source));

/** `quoting` is a text whose sentences are marked where the passage has them. */
export function PassagePanel({ url, chunk, begins, bot, quoting }) {
  const box = useRef();
  const came = useRef(document.activeElement);
  const close = () => {
    setParams(closed);
    came.current?.focus?.();
  };
  useEffect(() => {
    box.current.focus();
    const press = (event) => event.key === "Escape" && !document.querySelector("dialog[open]") && close();
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [url, chunk, begins]);
  const found = useLoad((signal) => read(url, bot, signal), [url, bot]);
  return html`<aside class="panel stack" tabindex="-1" ref=${box} aria-label=${t("passage")}>
    <div class="row apart"><span class="soft small">${t("passage")}</span><button class="plain" onClick=${close}>${t("close")}</button></div>
    ${!session.may("knowledge") ? html`<p>${t("needs", { scope: "knowledge" })}</p>` : html`<${Loaded} of=${found}>${(document) =>
      document
        ? html`<h2 dir="auto">${document.title || document.source_url}</h2>
            <p class="facts"><${Link} url=${document.source_url} /><a href=${to(["knowledge", document.document_id], { bot })}>${t("passage.whole")}</a></p>
            <${Chunks} chunks=${document.chunks} here=${chunk ?? document.chunks.find((one) => begins && one.text.startsWith(begins))?.chunk_id} quoting=${quoting} />`
        : html`<${Empty} title=${t("passage.gone")} text=${url} />`}<//>`}</aside>`;
}

/** A document's chunks in order; the one that is meant is scrolled to. */
export function Chunks({ chunks, here, quoting }) {
  const target = useRef();
  useEffect(() => target.current?.scrollIntoView({ block: "nearest" }), [here]);
  return html`<ol>${chunks.map((chunk) => {
    const isHere = chunk.chunk_id === here;
    return html`<li class=${`chunk ${isHere ? "here" : ""}`} ref=${isHere ? target : null} aria-current=${isHere ? "true" : null} dir="auto">
      ${(chunk.heading || chunk.page) && html`<div class="facts"><span>${chunk.heading}</span>${chunk.page && html`<span>${t("page", { n: chunk.page })}</span>`}</div>`}
      ${isHere ? marked(chunk.text, quoting) : chunk.text}</li>`;
  })}</ol>`;
}

async function read(url, bot, signal) {
  const { items } = await api.listPages({ source_url: url, bot_id: bot, limit: 1, signal });
  return items.length ? api.getPage(items[0].document_id, { signal }) : null;
}

/** The sentences of `quoting` that stand in the text; all of it where none does. */
function marked(text, quoting = "") {
  const sentences = quoting.split(/\[\d{1,3}\]|\n|(?<=[.!?])\s/).map((one) => one.trim()).filter((one) => one.length > 8 && text.includes(one));
  if (!sentences.length) return html`<mark>${text}</mark>`;
  const pattern = new RegExp(`(${sentences.map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`);
  return text.split(pattern).map((piece) => (sentences.includes(piece) ? html`<mark>${piece}</mark>` : piece));
}
