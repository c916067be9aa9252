/** Ask: a conversation as it is had, with what each answer rests on. */
import { html, useEffect, useRef, useState } from "./view.js";
import { api } from "./api.js";
import { session } from "./session.js";
import { t } from "./texts.js";
import { to, go, setParams, useAddress } from "./address.js";
import { Confirm, Empty, Fault, Loaded, Needs, When, useLoad } from "./parts.js";
import { PassagePanel, beginning } from "./passage.js";
import { talk } from "./talk.js";
import { Turn } from "./turn.js";

const START = `curl -H "Authorization: Bearer $TOKEN" ${new URL("..", import.meta.url).href}knowledge \\
  -d '{"source_url": "https://example.com/hours", "content": "We are open from 9 to 17."}'`;

export function Ask() {
  const { parts, params } = useAddress();
  const [, draw] = useState(0);
  const bot = params.bot ?? session.holder.bot_id ?? "default";
  const conversation = parts[1] ?? null;
  useEffect(() => talk.watch(() => draw((turn) => turn + 1)), []);
  useEffect(() => {
    talk.open(bot, conversation);
  }, [bot, conversation]);
  useEffect(() => {
    if (!params.question) return;
    talk.draft = params.question;
    setParams({ question: null }, { replace: true });
  }, [params.question]);
  const cited = params.doc && talk.turns.findLast((turn) => turn.sources?.some((one) => beginning(one.text) === params.begins));
  return html`<${Needs} scope="chat"><div class=${`ask ${params.doc ? "open" : ""}`}>
    <${Side} bot=${bot} conversation=${conversation} count=${talk.asked} />
    <section class="talk" aria-label=${t("ask")}>
      <h1 class="hidden">${t("ask")}</h1>
      ${talk.fault && html`<${Fault} error=${talk.fault} again=${() => talk.open(bot, conversation, true)} />`}
      <div class="said" role="log" aria-live="off" aria-busy=${talk.busy} aria-label=${t("ask.log")}>${talk.turns.length > 0 && html`<ol>
        ${talk.turns.map((turn) => html`<${Turn} key=${turn.key} turn=${turn} bot=${bot} />`)}</ol>`}</div>
      ${!talk.turns.length && !talk.fault && html`<${Welcome} bot=${bot} />`}
      <${Compose} bot=${bot} /><p class="hidden" role="status">${talk.announced}</p>
    </section>
    ${params.doc && html`<${PassagePanel} url=${params.doc} chunk=${params.chunk} begins=${params.begins} bot=${bot} quoting=${cited?.answer} />`}</div><//>`;
}

/** What can be asked about; where there is nothing yet, how to change that. */
function Welcome({ bot }) {
  const known = useLoad((signal) => api.listBots({ signal }), [bot]);
  const documents = known.value?.bots.find((one) => one.id === bot)?.documents;
  if (documents === 0) return html`<${Empty} title=${t("ask.nothing")} text=${t("ask.nothing.text")} line=${START} />`;
  return html`<${Empty} title=${t("ask.welcome")} text=${documents === undefined ? "" : t("ask.welcome.text", { n: documents })} />`;
}

function Compose({ bot }) {
  const [text, setText] = useState(talk.draft);
  const box = useRef();
  useEffect(() => box.current?.focus({ preventScroll: true }), [talk.conversation]);
  useEffect(() => setText(talk.draft), [talk.draft]);
  const type = (event) => setText((talk.draft = event.target.value));
  const send = (event) => {
    event?.preventDefault();
    const question = text.trim();
    if (!question || talk.busy) return;
    setText((talk.draft = ""));
    talk.ask(bot, question);
  };
  const press = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  };
  return html`<div class="compose"><form onSubmit=${send}>
    <textarea ref=${box} rows="1" aria-label=${t("ask.question")} placeholder=${t("ask.question")} value=${text} onInput=${type} onKeyDown=${press} dir="auto" maxlength="20000"></textarea>
    ${talk.busy ? html`<button type="button" onClick=${() => talk.stop()}>${t("ask.stop")}</button>` : html`<button class="main" disabled=${!text.trim()}>${t("ask.send")}</button>`}</form></div>`;
}

function Side({ bot, conversation, count }) {
  const [going, setGoing] = useState(null);
  const { params } = useAddress();
  const known = useLoad((signal) => api.listConversations(bot, { limit: 30, signal }), [bot, count]);
  const link = (id) => to(id ? ["ask", id] : ["ask"], { bot: params.bot });
  const erase = async () => {
    await api.deleteConversation(bot, going);
    talk.forget(going);
    known.reload();
    if (going === conversation) go(["ask"], { bot: params.bot });
  };
  return html`<section class="side stack" aria-label=${t("ask.conversations")}>
    <a class="button" href=${link(null)}>${t("ask.new")}</a>
    <h2>${t("ask.conversations")}</h2>
    <${Loaded} of=${known} rows=${4}>${(answer) => answer.conversations.length
      ? html`<ul class="list">${answer.conversations.map((one) => html`<li><a class="item" href=${link(one.id)} aria-current=${one.id === conversation ? "page" : null}>
          <span class="clip" dir="auto">${one.title || one.preview || one.id}</span><span class="soft small"><${When} at=${one.updatedAt} /></span></a></li>`)}</ul>`
      : html`<p class="soft small">${t("ask.none")}</p>`}<//>
    ${conversation && html`<button class="plain small" onClick=${() => setGoing(conversation)}>${t("ask.delete")}</button>`}
    ${going && html`<${Confirm} title=${t("ask.delete")} action=${t("delete")} run=${erase} close=${() => setGoing(null)}><p>${t("ask.delete.text")}</p><//>`}</section>`;
}
