/** Health: the models, what is indexed, what runs in the background, who is told, who may enter. */
import { html } from "./view.js";
import { api } from "./api.js";
import { session } from "./session.js";
import { t, number } from "./texts.js";
import { setParams, useAddress } from "./address.js";
import { Empty, Head, Loaded, Scroll, Tools, When, faultText, say, useLoad } from "./parts.js";
import { Jobs } from "./upload.js";

export function Health() {
  const { params } = useAddress();
  const isAdmin = session.may("admin");
  const health = useLoad((signal) => api.health({ signal }), []);
  return html`<div class="room"><${Head} title=${t("health")}><${Tools} path=${isAdmin ? "/status" : "/health"} name="health" /><//>
    <${Loaded} of=${health}>${(now) => html`<p class="row" role="status"><span class=${`chip ${now.ok && now.utils_loaded && !now.failing.length ? "good" : "warn"}`}>${t(!now.utils_loaded ? "health.loading" : now.failing.length || !now.ok ? "health.failing" : "health.well")}</span>
      <span class="soft">rag-service ${now.plugin_version}</span></p>`}<//>
    <div class="stack wide below">${isAdmin && html`<${Service} />`}<${Bots} />
      ${session.may("knowledge") && html`<section class="stack"><h2>${t("knowledge.jobs")}</h2><${Jobs} params=${params} /></section>`}
      ${isAdmin && html`<${Webhooks} params=${params} /><${Tokens} />`}</div></div>`;
}

function Service() {
  const found = useLoad((signal) => api.getStatus({ signal }), []);
  return html`<${Loaded} of=${found}>${(status) => html`<section class="stack"><h2>${t("health.models")}</h2><dl class="facts-list"><dt>${t("health.embedding")}</dt><dd>${status.models.embedding}</dd><dt>${t("health.chat")}</dt><dd>${status.models.chat}</dd>
      ${status.models.rerank && html`<dt>${t("health.rerank")}</dt><dd>${status.models.rerank}</dd>`}</dl></section>
    <section class="stack"><h2>${t("health.loops")}</h2><${Scroll} label=${t("health.loops")}><table class="tight"><thead><tr><th scope="col">${t("health.loop")}</th><th scope="col">${t("health.state")}</th></tr></thead>
      <tbody>${status.loops.map((loop) => html`<tr><td>${loop.name}</td><td>${loop.failures ? html`<span class="bad">${t("health.failed", { n: loop.failures })}: ${loop.error}</span>` : t("health.runs")}</td></tr>`)}</tbody></table><//></section>`}<//>`;
}

function Bots() {
  const found = useLoad((signal) => api.listBots({ signal }), []);
  return html`<section class="stack"><div class="row apart"><h2>${t("health.indexes")}</h2><${Tools} path="/bots" name="bots" /></div><${Loaded} of=${found} rows=${2}>${(data) => html`<${Scroll} label=${t("health.indexes")}><table class="tight"><thead><tr><th scope="col">${t("bot")}</th><th scope="col" class="n">${t("pages.count.head")}</th><th scope="col" class="n">${t("pages.chunks")}</th><th scope="col">${t("document.created")}</th></tr></thead>
    <tbody>${data.bots.map((bot) => html`<tr><td>${bot.id}</td><td class="n">${number(bot.documents)}</td><td class="n">${number(bot.chunks)}</td><td><${When} at=${bot.createdAt} /></td></tr>`)}</tbody></table><//>`}<//></section>`;
}

function Webhooks({ params }) {
  const found = useLoad((signal) => api.listWebhooks({ limit: 100, signal }), []);
  return html`<section class="stack"><div class="row apart"><h2>${t("webhooks")}</h2><${Tools} path="/webhooks" name="webhooks" /></div><${Loaded} of=${found} rows=${2}>${(data) => (data.webhooks.length
    ? html`<ul class="list">${data.webhooks.map((hook) => html`<${Webhook} key=${hook.id} hook=${hook} isOpen=${params.webhook === hook.id} />`)}</ul>`
    : html`<${Empty} title=${t("webhooks.none")} text=${t("webhooks.none.text")} line=${`curl -H "Authorization: Bearer $TOKEN" HOST/webhooks -d '{"url": "https://example.com/hooks", "events": ["gap.*"]}'`} />`)}<//></section>`;
}

function Webhook({ hook, isOpen }) {
  const test = () => api.testWebhook(hook.id, {}).then((data) => say(t(data.status === "delivered" ? "webhook.arrived" : "webhook.lost", { status: data.attempts.at(-1)?.status ?? data.attempts.at(-1)?.error ?? "" })), (error) => say(faultText(error)));
  return html`<li class="item stack"><div class="row apart"><span class="title">${hook.url}</span><span class=${`chip ${hook.enabled ? (hook.failingSince ? "warn" : "good") : ""}`}>${t(!hook.enabled ? "webhook.off" : hook.failingSince ? "webhook.failing" : "webhook.on")}</span></div>
    <p class="facts"><span>${hook.events.join(", ")}</span><span>${hook.botId ?? t("bot.all")}</span>${hook.disabledReason && html`<span class="bad">${hook.disabledReason}</span>`}</p>
    <div class="row"><button class="small" aria-expanded=${isOpen} onClick=${() => setParams({ webhook: isOpen ? null : hook.id })}>${t("webhook.deliveries")}</button><button class="small" onClick=${test}>${t("webhook.test")}</button></div>
    ${isOpen && html`<${Deliveries} id=${hook.id} />`}</li>`;
}

function Deliveries({ id }) {
  const found = useLoad((signal) => api.listDeliveries(id, { limit: 50, signal }), [id]);
  return html`<${Loaded} of=${found} rows=${2}>${(data) => (data.deliveries.length ? html`<${Scroll} label=${t("webhook.deliveries")}><table class="tight"><thead><tr><th scope="col">${t("delivery.event")}</th><th scope="col">${t("health.state")}</th><th scope="col">${t("delivery.attempts")}</th><th scope="col">${t("delivery.at")}</th></tr></thead>
    <tbody>${data.deliveries.map((one) => html`<tr><td>${one.eventType}</td><td>${one.status}</td><td>${one.attempts.map((tried) => tried.status ?? tried.error).join(", ") || "–"}</td><td><${When} at=${one.createdAt} /></td></tr>`)}</tbody></table><//>` : html`<p class="soft">${t("delivery.none")}</p>`)}<//>`;
}

function Tokens() {
  const found = useLoad((signal) => api.listTokens({ signal }), []);
  return html`<section class="stack"><div class="row apart"><h2>${t("tokens")}</h2><${Tools} path="/tokens" name="tokens" /></div><${Loaded} of=${found} rows=${2}>${(tokens) => html`<${Scroll} label=${t("tokens")}><table class="tight"><thead><tr><th scope="col">${t("tokens.name")}</th><th scope="col">${t("tokens.scopes")}</th><th scope="col">${t("bot")}</th><th scope="col">${t("tokens.rates")}</th><th scope="col">${t("document.created")}</th></tr></thead>
    <tbody>${tokens.items.map((token) => html`<tr><td>${token.name}${token.name === session.holder.name && html` <span class="chip">${t("tokens.you")}</span>`}</td><td>${token.scopes.join(", ")}</td><td>${token.bot_id ?? t("bot.all")}</td><td>${Object.entries(token.rates).map(([kind, rate]) => `${kind} ${rate}`).join(", ") || "–"}</td><td><${When} at=${token.created_at} /></td></tr>`)}</tbody></table><//>`}<//></section>`;
}
