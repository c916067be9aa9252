/** Writing the answer to a gap: a dry run says what it closes, then it is pushed, then the proof. */
import { html, useState } from "./view.js";
import { api } from "./api.js";
import { t } from "./texts.js";
import { to } from "./address.js";
import { changed, Fault, Meter, When } from "./parts.js";
import { Link } from "./prose.js";

/** What was written and not pushed yet, by gap: leaving the room loses nothing. */
const drafts = new Map();

export function AnswerForm({ gap, questions }) {
  const [answer, setAnswer] = useState(drafts.get(gap.gap_id) ?? "");
  const [forecast, setForecast] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const type = (event) => {
    drafts.set(gap.gap_id, event.target.value);
    setAnswer(event.target.value);
    setForecast(null);
  };
  const send = async (isDry) => {
    setBusy(true);
    setError(null);
    try {
      const body = { answer, ...(questions.length && { questions }) };
      const made = await api.answerGap(gap.gap_id, body, isDry ? { dry_run: true } : {});
      if (isDry) setForecast(made.gaps);
      else {
        drafts.delete(gap.gap_id);
        changed();
      }
    } catch (fault) {
      setError(fault);
    }
    setBusy(false);
  };
  return html`<section class="stack"><h3>${t("answering")}</h3><p class="soft small">${t("answering.text")}</p>
    <form class="stack" onSubmit=${(event) => (event.preventDefault(), send(!forecast))}>
      <textarea rows="5" dir="auto" aria-label=${t("answering")} value=${answer} onInput=${type} maxlength="1000000"></textarea>
      ${error && html`<${Fault} error=${error} />`}${forecast && html`<${Forecast} gap=${gap} forecast=${forecast} />`}
      <div class="row"><button type="button" class=${forecast ? "" : "main"} disabled=${busy || !answer.trim()} onClick=${() => send(true)}>${t("answering.try")}</button>
        <button type="button" class=${forecast ? "main" : ""} disabled=${busy || !forecast} onClick=${() => send(false)}>${t("answering.push")}</button></div></form></section>`;
}

function Forecast({ gap, forecast }) {
  const closesThis = forecast.closes.some((one) => one.gap_id === gap.gap_id);
  const rest = forecast.closes.filter((one) => one.gap_id !== gap.gap_id);
  return html`<div class="card stack" role="status"><p class=${closesThis ? "" : "warn"}><strong>${t(closesThis ? "answering.closes" : "answering.stays")}</strong></p>
    ${rest.length > 0 && html`<p>${t("answering.also")}</p><${GapLinks} gaps=${rest} />`}
    ${forecast.reopens.length > 0 && html`<p class="warn">${t("answering.reopens")}</p><${GapLinks} gaps=${forecast.reopens} />`}</div>`;
}

export const GapLinks = ({ gaps }) => html`<ul>${gaps.map((one) => html`<li><a href=${to(["gaps", one.gap_id], { state: one.state })} dir="auto">${one.title}</a></li>`)}</ul>`;

/** What closed a gap, and the confidence before and after. */
export function Proof({ gap }) {
  const by = gap.closed_by;
  if (!by?.source_url) return html`<section class="card" role="status"><p><strong>${t("proof.hand")}</strong> <${When} at=${gap.closed_at} /></p></section>`;
  return html`<section class="card stack" role="status"><h3>${t("proof")}</h3>
    <p>${by.document_id ? html`<a href=${to(["knowledge", by.document_id], { bot: gap.bot_id, chunk: by.chunk_id })}>${by.source_url}</a>` : html`<${Link} url=${by.source_url} />`} · <${When} at=${gap.closed_at} /></p>
    <div class="row"><span class="soft">${t("proof.before")}</span><${Meter} value=${by.confidence_before ?? 0} /><span class="soft">${t("proof.after")}</span><${Meter} value=${by.confidence_after ?? 0} /></div></section>`;
}
