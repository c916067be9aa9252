/** A conversation as it was had, with the decision behind each answer, and its erasure. */
import { html, useEffect, useRef, useState } from "./view.js";
import { api } from "./api.js";
import { session } from "./session.js";
import { t, score } from "./texts.js";
import { to, go, useAddress } from "./address.js";
import { Confirm, Empty, Head, Loaded, Meter, Tools, When, say, useLoad } from "./parts.js";
import { WhyOfRow } from "./charts.js";
import { Link, Prose } from "./prose.js";
import { PassagePanel, openSource } from "./passage.js";

export function Conversation({ id }) {
  const { params } = useAddress();
  const [going, setGoing] = useState(false);
  const { doc, chunk, begins, m, ...filters } = params;
  const query = { session_id: id, order: "asc", limit: 1000 };
  const found = useLoad((signal) => api.listTranscripts({ ...query, signal }), [id]);
  const bot = found.value?.items[0]?.bot_id;
  const back = { ...filters, bot: null };
  const erase = async () => {
    const gone = await api.deleteTranscripts({ session_ids: [id] });
    say(t(gone.erasure_pending ? "erased.pending" : "erased", { n: gone.transcripts_deleted }));
    go(["transcripts"], back);
  };
  return html`<div class=${doc ? "panes" : "room"}><div><p class="small"><a href=${to(["transcripts"], back)}>${t("back.transcripts")}</a></p>
    <${Head} title=${t("conversation")}><div class="row"><${Tools} path="/transcripts" query=${query} csv ndjson name="conversation" /><button class="danger" onClick=${() => setGoing(true)}>${t("erase")}</button></div><p><code>${id}</code></p><//>
    <${Loaded} of=${found}>${(page) => (page.items.length ? html`<${Person} row=${page.items.find((row) => row.role === "user") ?? page.items[0]} /><ol class="turns">${page.items.map((row) => html`<${Row} key=${row.id} row=${row} isMeant=${row.message_id === m} />`)}</ol>` : html`<${Empty} title=${t("conversation.none")} />`)}<//></div>
    ${doc && html`<${PassagePanel} url=${doc} chunk=${chunk} bot=${bot} />`}
    ${going && html`<${Confirm} title=${t("erase")} action=${t("erase")} run=${erase} close=${() => setGoing(false)}><p>${t("erase.text")}</p><//>`}</div>`;
}

function Person({ row }) {
  const page = row.originating_page_url;
  return html`<p class="facts"><span dir="auto">${row.user_name}</span><span dir="auto">${row.user_email}</span><span dir="auto">${row.user_identifier}</span><span>${row.bot_id}</span>${page && html`<${Link} url=${page}>${row.originating_page_title || page}<//>`}</p>`;
}

function Row({ row, isMeant }) {
  const box = useRef();
  useEffect(() => {
    if (isMeant) box.current.scrollIntoView({ block: "center" });
  }, [isMeant]);
  const isAnswer = row.role === "assistant";
  return html`<li ref=${box} aria-current=${isMeant ? "true" : null}><div class="row apart who"><span>${t(`role.${row.role}`)} · <${When} at=${row.timestamp} /></span>
      ${row.feedback && html`<span class="chip">${t(`rating.${row.feedback.rating}`)}</span>`}</div>
    ${isAnswer ? html`<${Prose} text=${row.message} />` : html`<p class="title" dir="auto">${row.message}</p>`}
    ${row.feedback?.comment && html`<p class="soft" dir="auto">${row.feedback.comment}</p>`}${isAnswer && html`<${Decision} row=${row} />`}</li>`;
}

/** What was seen, what it weighed, and which passages the answer was made of. */
function Decision({ row }) {
  const { confidence, evidence, model, model_declined } = row.metadata;
  if (confidence === undefined) return null;
  return html`<details><summary class="small"><span class=${`chip ${row.has_rag_context ? "good" : "warn"}`}>${t(row.has_rag_context ? "answered" : "unanswered")}</span> ${t("decision.why")} <${Meter} value=${confidence} /></summary>
    <div class="card stack">${model && html`<p class="soft small">${t("decision.model", { model })}</p>`}${model_declined && html`<p class="warn">${t("decision.declined")}</p>`}
      ${evidence && html`<${WhyOfRow} evidence=${evidence} />`}
      ${row.rag_context && html`<ol class="sources">${row.rag_context.map((one) => html`<li><button disabled=${!session.may("knowledge")} onClick=${() => openSource(one)}><span class="n soft">${score(one.score)}</span><span class="clip">${one.source_url}</span>
        ${one.used && html`<span class="chip good">${t("decision.used")}</span>`}</button></li>`)}</ol>`}</div></details>`;
}
