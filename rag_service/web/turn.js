/** A question and what became of it: an answer with its sources, or the state "not answered". */
import { html, useState } from "./view.js";
import { api } from "./api.js";
import { session } from "./session.js";
import { t } from "./texts.js";
import { to, useAddress } from "./address.js";
import { Dialog, Fault, Meter, say, faultText, useLoad } from "./parts.js";
import { Prose } from "./prose.js";
import { beginning, openSource } from "./passage.js";
import { talk } from "./talk.js";

export function Turn({ turn, bot }) {
  const { params } = useAddress();
  const isMissing = turn.state === "done" && turn.answered === false;
  const cite = (n) => {
    const source = turn.sources?.[n - 1];
    return source && html`<button class="cite" aria-label=${t("ask.source", { n, title: source.title || source.sourceUrl })} aria-expanded=${params.doc === source.sourceUrl && params.begins === beginning(source.text)}
      title=${source.title} onClick=${() => openSource(source)}>${n}</button>`;
  };
  return html`<li>
    ${turn.question && html`<p class="question" dir="auto">${turn.question}</p>`}
    ${isMissing ? html`<${NotAnswered} turn=${turn} bot=${bot} />`
      : html`<div class=${`answer ${turn.state === "writing" ? "cursor" : ""}`}>
          ${turn.state === "thinking" && html`<span class="soft">${t("ask.thinking")}</span>`}
          <${Prose} text=${turn.answer} cite=${cite} /></div>`}
    ${turn.state === "stopped" && html`<p class="soft small">${t("ask.stopped")}</p>`}
    ${turn.state === "cut" && html`<p class="soft small">${t("ask.cut")}</p>`}
    ${turn.fault && html`<${Fault} error=${turn.fault} again=${() => talk.ask(bot, turn.question)} />`}
    ${turn.state === "done" && !isMissing && html`<${Sources} turn=${turn} />`}
    ${turn.state === "done" && turn.id && html`<${Thumbs} turn=${turn} />`}</li>`;
}

function Sources({ turn }) {
  if (!turn.sources?.length) return null;
  return html`<ol class="sources" aria-label=${t("ask.sources")}>${turn.sources.map((source, at) =>
    html`<li><button onClick=${() => openSource(source)}><span class="soft n">${at + 1}</span><span class="clip" dir="auto">${source.title || source.sourceUrl}</span><span class="soft clip">${source.sourceUrl}</span></button></li>`)}</ol>`;
}

/** What came nearest, and how far that was from an answer. */
function NotAnswered({ turn, bot }) {
  const { params } = useAddress();
  const isAllowed = session.may("knowledge");
  const near = useLoad(async (signal) => isAllowed ? api.search({ query: turn.question, bot_id: bot, k: 3 }, { signal }) : null, [turn.question]);
  const found = near.value;
  if (!turn.question || found?.small_talk) return html`<div class="answer"><${Prose} text=${turn.answer} /></div>`;
  return html`<div class="none stack"><div class="row apart"><h2>${t("ask.unanswered")}</h2>${found && html`<${Meter} value=${found.confidence} />`}</div>
    <${Prose} text=${turn.answer} />
    ${found?.results.length > 0 && html`<div><p class="soft small">${t("ask.nearest")}</p><ol class="sources">${found.results.map((one) =>
      html`<li><button onClick=${() => openSource(one)}><span class="n soft">${one.score.toFixed(2)}</span><span class="clip" dir="auto">${one.title || one.source_url}</span><span class="soft clip" dir="auto">${one.text}</span></button></li>`)}</ol></div>`}
    ${session.may("transcripts") && html`<p class="small"><a href=${to(["gaps"], { bot: params.bot, q: turn.question.slice(0, 200) })}>${t("ask.togap")}</a></p>`}</div>`;
}

function Thumbs({ turn }) {
  const [why, setWhy] = useState(null);
  const rating = turn.feedback?.rating;
  const rate = (value, comment) => talk.rate(turn, value, comment).then(() => say(t(value ? "ask.thanks" : "ask.taken")), (error) => say(faultText(error)));
  const press = (value) => {
    rate(rating === value ? null : value);
    if (value === "down" && rating !== "down") setWhy("");
  };
  const tell = (event) => {
    event.preventDefault();
    if (why.trim()) rate("down", why.trim());
    setWhy(null);
  };
  return html`<div class="row small"><button class="plain" aria-pressed=${rating === "up"} onClick=${() => press("up")}>${t("ask.up")}</button>
    <button class="plain" aria-pressed=${rating === "down"} onClick=${() => press("down")}>${t("ask.down")}</button>
    ${why !== null && html`<${Dialog} title=${t("ask.why")} close=${() => setWhy(null)}><form class="stack" onSubmit=${tell}>
      <textarea rows="3" aria-label=${t("ask.why")} value=${why} autofocus maxlength="10000" onInput=${(event) => setWhy(event.target.value)}></textarea>
      <div class="row end"><button type="button" onClick=${() => setWhy(null)}>${t("ask.skip")}</button><button class="main">${t("ask.tell")}</button></div></form><//>`}</div>`;
}
