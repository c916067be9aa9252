/** A document with its passages, what it answered, its gaps, and what deleting it would reopen. */
import { html, useState } from "./view.js";
import { api } from "./api.js";
import { session } from "./session.js";
import { t, bytes } from "./texts.js";
import { to, go, useAddress } from "./address.js";
import { changed, Confirm, Head, Loaded, Tools, When, say, useLoad } from "./parts.js";
import { Link } from "./prose.js";
import { Chunks } from "./passage.js";
import { GapLinks } from "./answering.js";

const LOOKED_AT = 200;

export function Document({ id }) {
  const { params } = useAddress();
  const [going, setGoing] = useState(false);
  const found = useLoad((signal) => api.getPage(id, { signal }), [id]);
  return html`<div class="room"><p class="small"><a href=${to(["knowledge"], { bot: params.bot, view: "pages" })}>${t("back.pages")}</a></p><${Loaded} of=${found}>${(document) => html`
    <${Head} title=${document.title || document.source_url}><${Tools} path=${`/knowledge/${id}`} name="page" /><//>
    <div class="two"><section class="stack" aria-label=${t("document.passages")}><h2>${t("document.passages")} <span class="soft n">${document.chunks.length}</span></h2><${Chunks} chunks=${document.chunks} here=${params.chunk} /></section>
      <div class="stack wide"><dl class="facts-list"><dt>${t("document.url")}</dt><dd><${Link} url=${document.source_url} /></dd><dt>${t("bot")}</dt><dd>${document.bot_id}</dd><dt>${t("label")}</dt><dd>${document.content_type}</dd>
          <dt>${t("document.format")}</dt><dd>${document.format}</dd><dt>${t("pages.size")}</dt><dd>${bytes(document.bytes)}</dd><dt>${t("document.created")}</dt><dd><${When} at=${document.created_at} /></dd><dt>${t("pages.changed")}</dt><dd><${When} at=${document.updated_at} /></dd>
          ${Object.entries(document.metadata).map(([name, value]) => html`<dt dir="auto">${name}</dt><dd dir="auto">${typeof value === "string" ? value : JSON.stringify(value)}</dd>`)}</dl>
        ${document.warnings.length > 0 && html`<section class="stack"><h2>${t("warnings")}</h2><ul>${document.warnings.map((one) => html`<li class="warn">${one}</li>`)}</ul></section>`}
        ${session.may("transcripts") && html`<${OfGaps} document=${document} /><${Answered} document=${document} />`}
        <div><button class="danger" onClick=${() => setGoing(true)}>${t("document.delete")}</button></div></div></div>
    ${going && html`<${DeletePages} document=${document} close=${() => setGoing(false)} done=${() => go(["knowledge"], { bot: params.bot, view: "pages" })} />`}`}<//></div>`;
}

/** Gaps that it closed, and open ones to which it comes nearest. */
function OfGaps({ document }) {
  const found = useLoad((signal) => api.listGaps({ bot_id: document.bot_id, state: "all", limit: 1000, signal }), [document.document_id]);
  return html`<${Loaded} of=${found} rows=${2}>${(page) => {
    const closed = page.items.filter((gap) => gap.closed_by?.source_url === document.source_url);
    const near = page.items.filter((gap) => gap.state === "open" && gap.best_match?.source_url === document.source_url);
    return html`<section class="stack"><h2>${t("document.closed")}</h2>${closed.length ? html`<${GapLinks} gaps=${closed} />` : html`<p class="soft">${t("document.closed.none")}</p>`}</section>
      ${near.length > 0 && html`<section class="stack"><h2>${t("document.near")}</h2><${GapLinks} gaps=${near} /></section>`}`;
  }}<//>`;
}

/** Answers that cite it, among the latest. */
function Answered({ document }) {
  const found = useLoad((signal) => api.listTranscripts({ bot_id: document.bot_id, role: "user", has_rag_context: "yes", limit: LOOKED_AT, signal }), [document.document_id]);
  return html`<${Loaded} of=${found} rows=${2}>${(page) => {
    const cited = page.items.filter((row) => row.rag_context?.some((one) => one.source_url === document.source_url && one.used !== false));
    return html`<section class="stack"><h2>${t("document.answered")}</h2>${cited.length
      ? html`<ul>${cited.slice(0, 20).map((row) => html`<li><a dir="auto" href=${to(["transcripts", row.session_id], { bot: row.bot_id, m: row.message_id })}>${row.message}</a></li>`)}</ul>`
      : html`<p class="soft">${t("document.answered.none", { n: LOOKED_AT })}</p>`}</section>`;
  }}<//>`;
}

/** Says first which gaps would open again. */
export function DeletePages({ document, close, done }) {
  const body = { source_url: document.source_url, bot_id: document.bot_id };
  const dry = useLoad((signal) => api.deletePages(body, { dry_run: true, signal }), [document.document_id]);
  const run = async () => {
    await api.deletePages(body);
    say(t("deleted"));
    done ? done() : changed();
  };
  return html`<${Confirm} title=${t("document.delete")} action=${t("delete")} run=${run} close=${close}><p dir="auto"><strong>${document.title || document.source_url}</strong></p>
    <${Loaded} of=${dry} rows=${2}>${(would) => html`<p>${t("delete.chunks", { n: would.entries_removed })}</p>
      ${would.gaps?.reopens.length ? html`<p class="warn">${t("delete.reopens")}</p><${GapLinks} gaps=${would.gaps.reopens} />` : would.gaps && html`<p class="soft">${t("delete.nothing")}</p>`}`}<//><//>`;
}
