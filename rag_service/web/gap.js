/** One gap: its questions, what comes nearest, its history, and what a person does about it. */
import { html, useState } from "./view.js";
import { api } from "./api.js";
import { session } from "./session.js";
import { t } from "./texts.js";
import { to, useAddress } from "./address.js";
import { changed, Dialog, Fault, Loaded, Meter, Tools, When, faultText, say, useLoad } from "./parts.js";
import { Spark } from "./charts.js";
import { Link } from "./prose.js";
import { AnswerForm, Proof } from "./answering.js";

export function GapView({ id }) {
  const { params } = useAddress();
  const [chosen, setChosen] = useState([]);
  const found = useLoad((signal) => api.getGap(id, { limit: 1000, signal }), [id]);
  const activity = useLoad((signal) => api.getGapActivity({ gap_id: id, signal }), [id]);
  const change = async (fields) => {
    try {
      await api.updateGap(id, fields);
      say(t("saved"));
      changed();
    } catch (error) {
      say(faultText(error));
    }
  };
  const pick = (message, on) => setChosen(on ? [...chosen, message] : chosen.filter((one) => one !== message));
  return html`<article class="stack wide" aria-label=${t("gap")}><${Loaded} of=${found}>${(gap) => html`
    <header class="stack"><div class="row apart"><a class="small" href=${to(["gaps"], params)}>${t("back")}</a><${Tools} path=${`/gaps/${id}`} name="gap" /></div>
      <h2 dir="auto">${gap.title}</h2>
      <p class="facts"><span class=${`chip ${gap.state === "closed" ? "good" : gap.state === "open" ? "warn" : ""}`}>${t(`gaps.${gap.state}`)}</span><span>${t("people", { n: gap.people })}</span><span>${t("asked", { n: gap.questions })}</span>
        <span>${t("last")} <${When} at=${gap.last_asked} /></span>${!params.bot && html`<span>${gap.bot_id}</span>`}${activity.value?.items[0] && html`<${Spark} counts=${activity.value.items[0].questions} />`}</p>
      ${gap.merged_into && html`<p class="soft">${t("gap.merged")}</p>`}
      <${Actions} gap=${gap} change=${change} /></header>
    <section class="stack"><h3>${t("gap.nearest")}</h3><${Nearest} gap=${gap} /></section>
    ${gap.state === "closed" ? html`<${Proof} gap=${gap} />` : session.may("knowledge") && html`<${AnswerForm} gap=${gap} questions=${chosen} />`}
    <section class="stack"><h3>${t("gap.questions", { n: gap.total })}</h3><${Questions} gap=${gap} chosen=${chosen} pick=${pick} /></section>
    <section class="stack"><h3>${t("gap.history")}</h3><ol class="list">${gap.history.toReversed().map((entry) =>
      html`<li class="item"><${When} at=${entry.at} /> ${t(`what.${entry.what}`)}<span class="soft"> · ${t(`cause.${entry.evidence.cause}`)}</span></li>`)}</ol></section>`}<//></article>`;
}

function Nearest({ gap }) {
  if (!gap.best_match) return html`<p class="soft">${t("gap.nothing")}</p>`;
  return html`<div class="card stack"><div class="row apart"><strong dir="auto">${gap.best_match.title || gap.best_match.source_url}</strong><${Meter} value=${gap.confidence} /></div>
    <p class="small"><${Link} url=${gap.best_match.source_url} /></p><p class="soft" dir="auto">${gap.best_match.text.slice(0, 400)}</p></div>`;
}

function Questions({ gap, chosen, pick }) {
  const canAnswer = gap.state !== "closed" && session.may("knowledge");
  return html`<ul class="list">${gap.items.map((one) => html`<li class="item"><div class="row apart">
      ${canAnswer ? html`<label class="check"><input type="checkbox" checked=${chosen.includes(one.message_id)} onChange=${(event) => pick(one.message_id, event.target.checked)} /><span dir="auto">${one.text}</span></label>` : html`<span dir="auto">${one.text}</span>`}
      ${one.answered && html`<span class="chip good">${t("answered")}</span>`}</div>
    <div class="facts"><${When} at=${one.asked_at} /><${Meter} value=${one.confidence_now} /><a href=${to(["transcripts", one.session_id], { bot: gap.bot_id, m: one.message_id })}>${t("conversation")}</a></div></li>`)}</ul>
    ${canAnswer && html`<p class="soft small">${t("gap.wording")}</p>`}`;
}

function Actions({ gap, change }) {
  const [dialog, setDialog] = useState(null);
  const close = () => setDialog(null);
  return html`<div class="row">
    ${gap.state !== "open" && html`<button onClick=${() => change({ state: "open" })}>${t("gap.reopen")}</button>`}
    ${gap.state === "open" && html`<button onClick=${() => change({ state: "dismissed" })}>${t("gap.dismiss")}</button><button onClick=${() => change({ state: "closed" })}>${t("gap.close")}</button>`}
    <button onClick=${() => setDialog("rename")}>${t("gap.rename")}</button><button onClick=${() => setDialog("merge")}>${t("gap.merge")}</button>
    ${dialog === "rename" && html`<${Rename} gap=${gap} change=${change} close=${close} />`}
    ${dialog === "merge" && html`<${Merge} gap=${gap} close=${close} />`}</div>
    ${gap.note && html`<p class="soft" dir="auto">${gap.note}</p>`}`;
}

function Rename({ gap, change, close }) {
  const [title, setTitle] = useState(gap.title);
  const [note, setNote] = useState(gap.note);
  const save = (event) => {
    event.preventDefault();
    change({ title, note }).then(close);
  };
  return html`<${Dialog} title=${t("gap.rename")} close=${close}><form class="stack" onSubmit=${save}>
    <label class="field"><span>${t("gap.title")}</span><input value=${title} autofocus maxlength="1000" dir="auto" onInput=${(event) => setTitle(event.target.value)} /></label>
    <label class="field"><span>${t("gap.note")}</span><textarea rows="3" dir="auto" value=${note} onInput=${(event) => setNote(event.target.value)}></textarea></label>
    <div class="row end"><button type="button" onClick=${close}>${t("cancel")}</button><button class="main">${t("save")}</button></div></form><//>`;
}

function Merge({ gap, close }) {
  const [q, setQ] = useState("");
  const [ids, setIds] = useState([]);
  const [error, setError] = useState(null);
  const found = useLoad((signal) => api.listGaps({ bot_id: gap.bot_id, state: "all", q, limit: 20, signal }), [q]);
  const merge = async () => {
    try {
      await api.mergeGaps(gap.gap_id, { gap_ids: ids });
      close();
      changed();
    } catch (fault) {
      setError(fault);
    }
  };
  return html`<${Dialog} title=${t("gap.merge")} close=${close}><div class="stack"><p class="soft">${t("gap.merge.text")}</p>
    <input type="search" aria-label=${t("filter.text")} value=${q} onInput=${(event) => setQ(event.target.value)} />
    <${Loaded} of=${found}>${(page) => {
      const items = page.items.filter((one) => one.gap_id !== gap.gap_id);
      return items.length ? html`<ul class="list">${items.map((one) => html`<li class="item"><label class="check"><input type="checkbox" checked=${ids.includes(one.gap_id)}
        onChange=${(event) => setIds(event.target.checked ? [...ids, one.gap_id] : ids.filter((id) => id !== one.gap_id))} /><span dir="auto">${one.title}</span></label></li>`)}</ul>` : html`<p class="soft">${t("gap.merge.none")}</p>`;
    }}<//>${error && html`<${Fault} error=${error} />`}
    <div class="row end"><button onClick=${close}>${t("cancel")}</button><button class="main" disabled=${!ids.length} onClick=${merge}>${t("gap.merge.do", { n: ids.length })}</button></div></div><//>`;
}
