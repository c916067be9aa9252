/** Contacts: people, and the conversations they had. */
import { html, useState } from "./view.js";
import { api } from "./api.js";
import { session } from "./session.js";
import { t } from "./texts.js";
import { to, go, useAddress } from "./address.js";
import { changed, Confirm, Dialog, Empty, Fault, Filter, Head, Loaded, Needs, Pager, Scroll, Tools, When, say, useLoad } from "./parts.js";

const SIZE = 50;
const LINE = `curl -H "Authorization: Bearer $TOKEN" HOST/contacts -d '{"email": "ann@example.com", "name": "Ann Lee"}'`;

export function Contacts() {
  const { parts, params } = useAddress();
  if (session.holder.bot_id) return html`<${Empty} title=${t("contacts.bound")} />`;
  return html`<${Needs} scope="admin">${parts[1] ? html`<${Contact} key=${parts[1]} id=${parts[1]} />` : html`<${List} params=${params} />`}<//>`;
}

function List({ params }) {
  const offset = Number(params.offset ?? 0);
  const query = { search: params.search, order: params.order, limit: SIZE, page: offset / SIZE + 1 };
  const found = useLoad((signal) => api.listContacts({ ...query, signal }), [JSON.stringify(query)]);
  const [isNew, setNew] = useState(false);
  return html`<div class="room"><${Head} title=${t("contacts")} text=${t("contacts.text")}><div class="row"><${Tools} path="/contacts" query=${query} csv name="contacts" /><button onClick=${() => setNew(true)}>${t("contacts.new")}</button></div><//>
    <div class="stack"><div class="filters"><${Filter} name="search" label=${t("contacts.search")} wide /><${Filter} name="order" label=${t("sort")} options=${["", "asc"].map((one) => [one, t(`order.${one || "all"}`)])} /></div>
    <${Loaded} of=${found}>${(data) => (data.contacts.length
      ? html`<${Scroll} label=${t("contacts")}><table><thead><tr><th scope="col">${t("contacts.name")}</th><th scope="col">${t("contacts.email")}</th><th scope="col">${t("contacts.phone")}</th><th scope="col" class="n">${t("contacts.talks")}</th><th scope="col">${t("contacts.since")}</th></tr></thead>
        <tbody>${data.contacts.map((one) => html`<tr key=${one.id}><td class="word"><a dir="auto" href=${to(["contacts", one.id], params)}>${nameOf(one)}</a></td><td dir="auto">${one.email}</td><td>${one.phone}</td><td class="n">${one.conversations}</td><td><${When} at=${one.createdAt} /></td></tr>`)}</tbody></table><//>
        <${Pager} total=${data.pagination.total} size=${SIZE} offset=${offset} />`
      : params.search ? html`<${Empty} title=${t("none.match")} />` : html`<${Empty} title=${t("contacts.none")} text=${t("contacts.none.text")} line=${LINE} />`)}<//></div>
    ${isNew && html`<${NewContact} close=${() => setNew(false)} />`}</div>`;
}

const nameOf = (contact) => contact.name || contact.email || contact.phone || contact.userId || contact.id;

function NewContact({ close }) {
  const [fields, setFields] = useState({});
  const [error, setError] = useState(null);
  const save = async (event) => {
    event.preventDefault();
    try {
      await api.createContact(fields);
      changed();
      close();
    } catch (fault) {
      setError(fault);
    }
  };
  const field = (name, type) => html`<label class="field"><span>${t(`contacts.${name}`)}</span><input type=${type} dir="auto" value=${fields[name] ?? ""} onInput=${(event) => setFields({ ...fields, [name]: event.target.value })} /></label>`;
  return html`<${Dialog} title=${t("contacts.new")} close=${close}><form class="stack" onSubmit=${save}>${field("name", "text")}${field("email", "text")}${field("phone", "tel")}${error && html`<${Fault} error=${error} />`}
    <div class="row end"><button type="button" onClick=${close}>${t("cancel")}</button><button class="main">${t("save")}</button></div></form><//>`;
}

function Contact({ id }) {
  const { params } = useAddress();
  const path = `/contacts/${encodeURIComponent(id)}`;
  const [going, setGoing] = useState(false);
  const [withTalks, setWithTalks] = useState(false);
  const found = useLoad((signal) => api.getContact(id, { signal }), [id]);
  const talks = useLoad((signal) => api.listContactConversations(id, { limit: 100, signal }), [id]);
  const erase = async () => {
    await api.deleteContact(id, { conversations: withTalks });
    say(t("deleted"));
    go(["contacts"], params);
  };
  return html`<div class="room"><p class="small"><a href=${to(["contacts"], params)}>${t("back.contacts")}</a></p><${Loaded} of=${found}>${(data) => html`
    <${Head} title=${nameOf(data)}><div class="row"><${Tools} path=${path} name="contact" /><button class="danger" onClick=${() => setGoing(true)}>${t("delete")}</button></div><//>
    <div class="stack wide"><dl class="facts-list">${[["email", data.email], ["phone", data.phone], ["user", data.userId]].filter(([, value]) => value).map(([name, value]) => html`<dt>${t(`contacts.${name}`)}</dt><dd dir="auto">${value}</dd>`)}
        <dt>${t("contacts.since")}</dt><dd><${When} at=${data.createdAt} /></dd>${Object.entries(data.metadata).map(([name, value]) => html`<dt dir="auto">${name}</dt><dd dir="auto">${typeof value === "string" ? value : JSON.stringify(value)}</dd>`)}</dl>
      <section class="stack"><h2>${t("contacts.talks")}</h2><${Loaded} of=${talks} rows=${3}>${(answer) => (answer.conversations.length
        ? html`<ul class="list">${answer.conversations.map((one) => html`<li><a class="item" href=${to(["transcripts", one.id], { bot: one.botId })}><span dir="auto">${one.title || one.preview || one.id}</span><span class="facts"><${When} at=${one.updatedAt} /><span>${one.botId}</span><span>${t("messages", { n: one.messageCount })}</span></span></a></li>`)}</ul>`
        : html`<p class="soft">${t("contacts.silent")}</p>`)}<//></section></div>
    ${going && html`<${Confirm} title=${t("contacts.delete")} action=${t("delete")} run=${erase} close=${() => setGoing(false)}><p dir="auto"><strong>${nameOf(data)}</strong></p><label class="check"><input type="checkbox" checked=${withTalks} onChange=${(event) => setWithTalks(event.target.checked)} />${t("contacts.delete.talks")}</label><//>`}`}<//></div>`;
}
