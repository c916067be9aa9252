/** Transcripts: what was asked and answered, however many rows there are. */
import { html } from "./view.js";
import { api } from "./api.js";
import { t } from "./texts.js";
import { to, useAddress } from "./address.js";
import { Empty, Filter, Head, Needs, Tools, When } from "./parts.js";
import { Conversation } from "./conversation.js";
import { Window } from "./window.js";

const FILTERS = ["q", "role", "has_rag_context", "since", "until", "session_id", "order"];

export function Transcripts() {
  const { parts, params } = useAddress();
  if (parts[1]) return html`<${Needs} scope="transcripts"><${Conversation} key=${parts[1]} id=${parts[1]} /><//>`;
  const query = Object.fromEntries([["bot_id", params.bot], ...FILTERS.map((name) => [name, params[name]])]);
  const key = JSON.stringify(query);
  const read = async (offset, limit, signal) => {
    const page = await api.listTranscripts({ ...query, offset, limit, signal });
    return { total: page.total, items: page.items };
  };
  return html`<${Needs} scope="transcripts"><div class="room"><${Head} title=${t("transcripts")} text=${t("transcripts.text")}><${Tools} path="/transcripts" query=${query} csv ndjson name="transcripts" /><//>
    <div class="stack"><${Filters} /><${Window} key=${key} read=${read} height=${matchMedia("(max-width: 52rem)").matches ? 84 : 60} label=${t("transcripts")} empty=${html`<${None} params=${params} />`}
      row=${(item) => html`<a href=${to(["transcripts", item.session_id], { ...params, bot: item.bot_id, m: item.message_id })}><span class="soft small"><${When} at=${item.timestamp} /><span class="who">${t(`role.${item.role}`)}</span></span>
        <span class="line"><span class="clip" dir="auto">${item.message.slice(0, 300)}</span><span class="facts">${item.has_rag_context === false && html`<span class="chip warn">${t("unanswered")}</span>`}${item.feedback && html`<span class="chip">${t(`rating.${item.feedback.rating}`)}</span>`}<span>${item.user_name ?? item.user_email ?? item.user_identifier ?? ""}</span><span>${item.bot_id}</span></span></span></a>`} /></div></div><//>`;
}

function Filters() {
  const options = (prefix, values) => values.map((one) => [one, t(`${prefix}.${one || "all"}`)]);
  return html`<div class="filters"><${Filter} name="q" label=${t("filter.text")} wide /><${Filter} name="role" label=${t("role")} options=${options("role", ["", "user", "assistant", "system"])} />
    <${Filter} name="has_rag_context" label=${t("decision")} options=${options("decision", ["", "yes", "no"])} /><${Filter} name="since" label=${t("since")} type="date" /><${Filter} name="until" label=${t("until")} type="date" />
    <${Filter} name="order" label=${t("sort")} options=${options("order", ["", "asc"])} /></div>`;
}

function None({ params }) {
  if (FILTERS.some((name) => params[name])) return html`<${Empty} title=${t("none.match")} />`;
  return html`<${Empty} title=${t("transcripts.none")} text=${t("transcripts.none.text")} line=${'rag-service ask "When are you open?"'} />`;
}
