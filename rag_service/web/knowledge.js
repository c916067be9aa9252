/** Knowledge: search with the reasons, the pages there are, uploads and their jobs. */
import { html, useState } from "./view.js";
import { api } from "./api.js";
import { session } from "./session.js";
import { t, bytes, score } from "./texts.js";
import { to, useAddress } from "./address.js";
import { Empty, Filter, Head, Loaded, Meter, Needs, Pager, Scroll, Tabs, Tools, When, useLoad } from "./parts.js";
import { Why } from "./charts.js";
import { Document, DeletePages } from "./document.js";
import { Jobs, Upload } from "./upload.js";

const SIZE = 50;
const PUSH = "rag-service ingest DOCS";

export function Knowledge() {
  const { parts, params } = useAddress();
  if (parts[1]) return html`<${Needs} scope="knowledge"><${Document} key=${parts[1]} id=${parts[1]} /><//>`;
  const view = params.view ?? "search";
  const View = { search: Search, pages: Pages, upload: Upload, jobs: Jobs }[view] ?? Search;
  return html`<${Needs} scope="knowledge"><div class="room"><${Head} title=${t("knowledge")} text=${t("knowledge.text")}><${Tools} ...${toolsOf(view, params)} /><//>
    <${Tabs} name="view" label=${t("knowledge.views")} tabs=${["search", "pages", "upload", "jobs"].map((one) => [one, t(`knowledge.${one}`)])} />
    <${View} params=${params} /></div><//>`;
}

function toolsOf(view, params) {
  if (view === "pages") return { path: "/knowledge", query: pagesQuery(params), name: "pages" };
  if (view === "jobs") return { path: "/jobs", query: { limit: SIZE }, name: "jobs" };
  return { path: "/search", query: searchQuery({ query: "when are you open", ...params }), name: "search" };
}

const botOf = (params) => params.bot ?? session.holder.bot_id ?? undefined;
const searchQuery = (params) => ({ query: params.query, bot_id: botOf(params), mode: params.mode, content_type: params.type, k: 10, explain: true });
const pagesQuery = ({ bot, q, type, offset }) => ({ bot_id: bot, q, content_type: type, limit: SIZE, offset });

function Search({ params }) {
  const query = searchQuery(params);
  const found = useLoad(async (signal) => (params.query?.trim() ? api.search(query, { signal }) : null), [JSON.stringify(query)]);
  return html`<div class="stack"><div class="filters"><${Filter} name="query" label=${t("search.query")} wide />
      <${Filter} name="mode" label=${t("search.mode")} options=${["", "dense", "keyword"].map((one) => [one, t(`search.${one || "hybrid"}`)])} />
      <${Filter} name="type" label=${t("label")} /></div>
    <${Loaded} of=${found}>${(answer) => (answer ? html`<${Results} answer=${answer} bot=${params.bot} isOld=${found.loading} />` : html`<${Empty} title=${t("search.start")} text=${t("search.start.text")} line=${'rag-service search "when are you open"'} />`)}<//></div>`;
}

function Results({ answer, bot, isOld }) {
  return html`<div class="stack" aria-busy=${Boolean(isOld)}><p class="row" role="status"><span class=${`chip ${answer.has_rag_context ? "good" : "warn"}`}>${t(answer.has_rag_context ? "search.answers" : "search.no")}</span>
      <${Meter} value=${answer.confidence} />${answer.searched_as && html`<span class="soft small">${t("search.as", { text: answer.searched_as })}</span>`}</p>
    ${answer.evidence && html`<details><summary class="small">${t("why")}</summary><${Why} weights=${answer.evidence.weights} logOdds=${answer.evidence.log_odds} /></details>`}
    ${answer.results.length ? html`<ol class="list">${answer.results.map((one) => html`<li key=${one.chunk_id} class="item stack">
      <div class="row apart"><a class="title" dir="auto" href=${to(["knowledge", one.document_id], { bot, chunk: one.chunk_id })}>${one.title || one.source_url}</a><span class="n"><strong>${score(one.score)}</strong></span></div>
      <p dir="auto">${one.text.slice(0, 600)}</p>
      <p class="facts"><span class="clip">${one.source_url}</span>${one.heading && html`<span dir="auto">${one.heading}</span>`}${one.page && html`<span>${t("page", { n: one.page })}</span>`}
        <span class="n">${t("search.dense")} ${one.scores.dense === null ? "–" : score(one.scores.dense)}</span><span class="n">${t("search.keyword")} ${one.scores.keyword === null ? "–" : score(one.scores.keyword)}</span></p></li>`)}</ol>`
      : html`<${Empty} title=${t("search.none")} line=${PUSH} />`}</div>`;
}

function Pages({ params }) {
  const query = pagesQuery(params);
  const found = useLoad((signal) => api.listPages({ ...query, signal }), [JSON.stringify(query)]);
  const [going, setGoing] = useState(null);
  return html`<div class="stack"><div class="filters"><${Filter} name="q" label=${t("filter.text")} wide /><${Filter} name="type" label=${t("label")} /></div>
    <${Loaded} of=${found}>${(page) => (page.items.length
      ? html`<p class="soft small">${t("pages.count", { n: page.total })}</p><${Scroll} label=${t("knowledge.pages")}><table><thead><tr><th scope="col">${t("pages.title")}</th><th scope="col">${t("label")}</th><th scope="col">${t("bot")}</th>
          <th scope="col" class="n">${t("pages.chunks")}</th><th scope="col" class="n">${t("pages.size")}</th><th scope="col">${t("pages.changed")}</th><th scope="col"><span class="hidden">${t("delete")}</span></th></tr></thead>
        <tbody>${page.items.map((one) => html`<tr key=${one.document_id}><td class="word"><a dir="auto" href=${to(["knowledge", one.document_id], { bot: params.bot })}>${one.title || one.source_url}</a>${one.title && html`<div class="soft small">${one.source_url}</div>`}</td>
          <td>${one.content_type}</td><td>${one.bot_id}</td><td class="n">${one.chunks}</td><td class="n">${bytes(one.bytes)}</td><td><${When} at=${one.updated_at} /></td>
          <td><button class="plain small" aria-label=${t("delete.what", { title: one.title || one.source_url })} onClick=${() => setGoing(one)}>${t("delete")}</button></td></tr>`)}</tbody></table><//>
        <${Pager} total=${page.total} size=${SIZE} offset=${Number(params.offset ?? 0)} />`
      : html`<${Empty} title=${t(params.q || params.type ? "none.match" : "pages.none")} text=${t("pages.none.text")} line=${PUSH} />`)}<//>
    ${going && html`<${DeletePages} document=${going} close=${() => setGoing(null)} />`}</div>`;
}
