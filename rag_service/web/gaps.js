/** Gaps: what people ask and nothing answers, and what became of it. */
import { html } from "./view.js";
import { api } from "./api.js";
import { t } from "./texts.js";
import { to, useAddress } from "./address.js";
import { Empty, Filter, Head, Loaded, Meter, Needs, Pager, Tabs, Tools, When, useLoad } from "./parts.js";
import { Spark, Weeks } from "./charts.js";
import { GapView } from "./gap.js";

const SIZE = 50;
const ALL = 1000;
const MOST_SPARKS = 100;
const STATES = ["open", "closed", "reopened", "dismissed", "report"];
const SORTS = ["", "questions", "last_asked", "first_asked", "confidence"];

export function Gaps() {
  const { parts, params } = useAddress();
  const state = params.state ?? "open";
  return html`<${Needs} scope="transcripts"><div class="room">
    <${Head} title=${t("gaps")} text=${t("gaps.text")}>${state === "report" ? html`<${Tools} path="/gaps/report" query=${{ bot_id: params.bot, since: params.since }} name="gaps" />` : html`<${Tools} path="/gaps" query=${queryOf(params)} csv ndjson name="gaps" />`}<//>
    <${Tabs} name="state" label=${t("gaps.states")} tabs=${STATES.map((one) => [one, t(`gaps.${one}`)])} />
    ${state === "report" ? html`<${Report} params=${params} />`
      : html`<div class=${parts[1] ? "panes chosen" : ""}><${List} params=${params} chosen=${parts[1]} />${parts[1] && html`<${GapView} key=${parts[1]} id=${parts[1]} />`}</div>`}</div><//>`;
}

function queryOf({ bot, state = "open", kind, q, sort, since, offset }) {
  const isReopened = state === "reopened";
  return {
    bot_id: bot, state: isReopened ? "open" : state, kind, q, sort, since,
    limit: isReopened ? ALL : SIZE, offset: isReopened ? null : offset, ...(sort === "confidence" && { order: "asc" }),
  };
}

function List({ params, chosen }) {
  const query = queryOf(params);
  const found = useLoad((signal) => api.listGaps({ ...query, signal }), [JSON.stringify(query)]);
  const ids = found.value?.items.slice(0, MOST_SPARKS).map((gap) => gap.gap_id) ?? [];
  const activity = useLoad(async (signal) => (ids.length ? api.getGapActivity({ gap_id: ids, signal }) : { items: [] }), [ids.join()]);
  const weeks = Object.fromEntries(activity.value?.items.map((one) => [one.gap_id, one.questions]) ?? []);
  return html`<section class="stack" aria-label=${t("gaps.list")}>
    <div class="filters"><${Filter} name="q" label=${t("filter.text")} wide />
      <${Filter} name="kind" label=${t("gaps.kind")} options=${["", "none", "rejected", "weak"].map((one) => [one, t(`gaps.kind.${one || "all"}`)])} />
      <${Filter} name="sort" label=${t("sort")} options=${SORTS.map((one) => [one, t(`gaps.sort.${one || "people"}`)])} /></div>
    <${Loaded} of=${found}>${(page) => {
      const items = params.state === "reopened" ? page.items.filter((gap) => gap.reopened) : page.items;
      return html`${page.pending > 0 && html`<p class="soft small" role="status">${t("gaps.pending", { n: page.pending })} <button class="plain small" onClick=${found.reload}>${t("again")}</button></p>`}
        ${items.length ? html`<ul class="list">${items.map((gap) => html`<li key=${gap.gap_id}><${Row} gap=${gap} params=${params} isChosen=${gap.gap_id === chosen} weeks=${weeks[gap.gap_id]} /></li>`)}</ul>` : html`<${None} params=${params} />`}
        ${params.state !== "reopened" && html`<${Pager} total=${page.total} size=${SIZE} offset=${Number(params.offset ?? 0)} />`}`;
    }}<//></section>`;
}

function Row({ gap, params, isChosen, weeks }) {
  return html`<a class="item" href=${to(["gaps", gap.gap_id], params)} aria-current=${isChosen ? "true" : null}>
    <span class="row apart"><span class="title" dir="auto">${gap.title}</span>${weeks && html`<${Spark} counts=${weeks} />`}</span>
    <span class="facts"><span class="n">${t("people", { n: gap.people })}</span><span class="n">${t("asked", { n: gap.questions })}</span><span>${t("last")} <${When} at=${gap.last_asked} /></span>
      <${Meter} value=${gap.confidence} />${gap.best_match && html`<span class="clip" dir="auto">${t("nearest", { title: gap.best_match.title || gap.best_match.source_url })}</span>`}
      ${gap.reopened > 0 && html`<span class="chip warn">${t("reopened", { n: gap.reopened })}</span>`}${gap.kind === "rejected" && html`<span class="chip warn">${t("gaps.kind.rejected")}</span>`}</span></a>`;
}

function None({ params }) {
  if (params.q || params.kind) return html`<${Empty} title=${t("none.match")} />`;
  const state = params.state ?? "open";
  return html`<${Empty} title=${t(`gaps.none.${state}`)} text=${t(`gaps.none.${state}.text`)} line=${state === "open" ? 'rag-service ask "Where can I park my bike?"' : null} />`;
}

function Report({ params }) {
  const query = { bot_id: params.bot, since: params.since };
  const found = useLoad((signal) => api.getGapReport({ ...query, signal }), [params.bot, params.since]);
  const sections = [["asked_most", "report.most"], ["closed", "report.closed"], ["reopened", "report.reopened"]];
  return html`<div class="stack wide"><div class="filters"><${Filter} name="since" label=${t("since")} options=${["", "-1 week", "-4 weeks", "-3 months", "-1 year"].map((one) => [one, t(`since.${one || "all"}`)])} /></div>
    <${Loaded} of=${found}>${(report) => html`<section class="stack"><h2>${t("report.share")}</h2>
        ${report.weeks.length ? html`<${Weeks} weeks=${report.weeks} />` : html`<p class="soft">${t("report.nothing")}</p>`}</section>
      ${sections.map(([name, title]) => html`<section class="stack"><h2>${t(title)}</h2>${report[name].length
        ? html`<ul class="list">${report[name].map((gap) => html`<li><${Row} gap=${gap} params=${{ bot: params.bot, state: gap.state }} /></li>`)}</ul>`
        : html`<p class="soft">${t("report.none")}</p>`}</section>`)}`}<//></div>`;
}
