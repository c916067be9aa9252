/** What all rooms are made of: loading, errors, empty states, meters, dialogs, tools of a list. */
import { html, useState, useEffect, useLayoutEffect, useRef } from "./view.js";
import { api, curl, download } from "./api.js";
import { t, score, moment } from "./texts.js";
import { session } from "./session.js";
import { setParams, useAddress } from "./address.js";

const CHANGED = "rag-service changed";
/** Something was written: whatever is shown is read again. */
export const changed = () => dispatchEvent(new Event(CHANGED));

/** `{value, error, loading, reload}` of a promise that `load(signal)` makes whenever `deps` change. */
export function useLoad(load, deps) {
  const [state, setState] = useState({ loading: true });
  const [turn, setTurn] = useState(0);
  const reload = () => setTurn((former) => former + 1);
  useEffect(() => {
    addEventListener(CHANGED, reload);
    return () => removeEventListener(CHANGED, reload);
  }, []);
  useEffect(() => {
    const stop = new AbortController();
    setState((former) => ({ value: former.value, loading: true }));
    load(stop.signal).then(
      (value) => stop.signal.aborted || setState({ value }),
      (error) => stop.signal.aborted || setState({ error }),
    );
    return () => stop.abort();
  }, [...deps, turn]);
  return { ...state, reload };
}

/** Draws its children with what was loaded, or that it is still coming, or why it does not. */
export function Loaded({ of, children, rows = 5 }) {
  if (of.error) return html`<${Fault} error=${of.error} again=${of.reload} />`;
  if (of.value === undefined) {
    return html`<div class="wait" role="status" aria-label=${t("loading")}>${Array.from({ length: rows }, () => html`<i />`)}</div>`;
  }
  return children(of.value);
}

export function Fault({ error, again }) {
  return html`<div class="fault row apart" role="alert">
    <span>${faultText(error)}</span>${again && html`<button onClick=${again}>${t("again")}</button>`}</div>`;
}

export function faultText(error) {
  if (error.status === 0) return t("fault.offline");
  if (error.status === 403) return t("fault.forbidden", { message: error.message });
  if (error.status === 429) return t("fault.rate", { n: error.retryAfter ?? 60 });
  const params = Object.entries(error.params ?? {}).map(([name, reason]) => `${name}: ${reason}`).join("; ");
  return params || error.message || t("fault.unknown", { status: error.status ?? "" });
}

/** A room that the token may not enter says so, rather than asking in vain. */
export function Needs({ scope, children }) {
  if (session.may(scope)) return children;
  return html`<${Empty} title=${t("needs", { scope })} line=${`rag-service token create NAME --scope ${scope}`} />`;
}

/** Teaches with the line that fills it. */
export function Empty({ title, text, line, children }) {
  return html`<div class="empty stack"><h2>${title}</h2>${text && html`<p class="soft">${text}</p>`}
    ${line && html`<pre><code>${line}</code></pre><${Copy} text=${line} />`}${children}</div>`;
}

export function Copy({ text, label = t("copy") }) {
  return html`<button class="plain small" onClick=${() => navigator.clipboard.writeText(text).then(() => say(t("copied")), () => say(text))}>${label}</button>`;
}

/** A confidence against the threshold of the decision, which is the tick. */
export function Meter({ value, threshold = 0.5 }) {
  const label = t("meter", { value: score(value), threshold: score(threshold) });
  return html`<span class=${`meter ${value >= threshold ? "good" : ""}`} title=${label}>
    <svg viewBox="0 0 64 8" role="img" aria-label=${label}><rect class="track" y="2" width="64" height="4" rx="2" />
    <rect class="fill" y="2" width=${Math.max(2, 64 * value)} height="4" rx="2" /><rect class="tick" x=${64 * threshold - 0.75} width="1.5" height="8" /></svg>
    <span class="n" aria-hidden="true">${score(value)}</span></span>`;
}

/** What may be wider than the screen: it scrolls by itself, by keyboard too. */
export const Scroll = ({ label, children }) => html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>${children}</div>`;

export const When = ({ at }) => (at ? html`<time datetime=${at} title=${moment(at, { exact: true })}>${moment(at)}</time>` : "–");

/** A modal dialog. Escape, and a press beside it, close it. */
export function Dialog({ title, close, children, kind = "" }) {
  const box = useRef();
  useLayoutEffect(() => { // at once: what is typed next is meant for it
    const came = document.activeElement;
    box.current.showModal();
    return () => came?.focus();
  }, []);
  const beside = (event) => event.target === box.current && close();
  return html`<dialog ref=${box} class=${kind} aria-label=${title} onClose=${close} onMouseDown=${beside}>
    ${kind !== "palette" && html`<h2>${title}</h2>`}${children}</dialog>`;
}

/** Asks before what cannot be taken back. */
export function Confirm({ title, action, run, close, children }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const go = () => {
    setBusy(true);
    run().then(close, (fault) => (setError(fault), setBusy(false)));
  };
  return html`<${Dialog} title=${title} close=${close}><div class="stack">${children}${error && html`<${Fault} error=${error} />`}
    <div class="row end"><button onClick=${close}>${t("cancel")}</button><button class="danger" disabled=${busy} onClick=${go}>${action}</button></div></div><//>`;
}

/** "As curl" of what a list shows, and its exports. */
export function Tools({ path, query, csv, ndjson, name }) {
  const [open, setOpen] = useState(false);
  const { limit, offset, page, ...all } = query ?? {};
  const save = (accept, ending) => download(path, all, accept, `${name}.${ending}`).catch((error) => say(faultText(error)));
  return html`<div class="row tools"><button class="plain" onClick=${() => setOpen(true)}>${t("curl")}</button>
    ${csv && html`<button class="plain" onClick=${() => save("text/csv", "csv")}>CSV</button>`}
    ${ndjson && html`<button class="plain" onClick=${() => save("application/x-ndjson", "ndjson")}>NDJSON</button>`}
    ${open && html`<${Dialog} title=${t("curl")} close=${() => setOpen(false)}><div class="stack">
      <pre><code>${curl(path, query)}</code></pre><div class="row end"><${Copy} text=${curl(path, query)} /><button onClick=${() => setOpen(false)}>${t("close")}</button></div></div><//>`}</div>`;
}

export function Head({ title, text, children }) {
  return html`<header class="head"><h1>${title}</h1>${children}${text && html`<p>${text}</p>`}</header>`;
}

/** Links that are views of one room, told apart by one parameter. */
export function Tabs({ name, label, tabs }) {
  const { parts, params } = useAddress();
  const chosen = params[name] ?? tabs[0][0];
  const href = (value) => `#/${parts[0]}?${new URLSearchParams({ ...params, [name]: value })}`;
  return html`<nav class="tabs" aria-label=${label}>${tabs.map(([value, words]) =>
    html`<a href=${href(value)} aria-current=${value === chosen ? "page" : null}>${words}</a>`)}</nav>`;
}

/** A filter that lives in the address. Typing leaves no steps behind. */
export function Filter({ name, label, options, type = "search", wide }) {
  const { params } = useAddress();
  const [typed, setTyped] = useState(params[name] ?? "");
  useEffect(() => setTyped(params[name] ?? ""), [params[name]]);
  useEffect(() => {
    if (options || typed === (params[name] ?? "")) return undefined;
    const timer = setTimeout(() => setParams({ [name]: typed, offset: null }, { replace: true }), 250);
    return () => clearTimeout(timer);
  }, [typed]);
  return html`<label class=${`field ${wide ? "wide" : ""}`}><span>${label}</span>${options
    ? html`<select value=${params[name] ?? ""} onChange=${(event) => setParams({ [name]: event.target.value, offset: null })}>
        ${options.map(([value, words]) => html`<option value=${value} selected=${value === (params[name] ?? "")}>${words}</option>`)}</select>`
    : html`<input type=${type} value=${typed} onInput=${(event) => setTyped(event.target.value)} />`}</label>`;
}

/** Steps through a list of `total`, `size` at a time, by `offset` in the address. */
export function Pager({ total, size, offset }) {
  if (total <= size) return null;
  const step = (to) => setParams({ offset: to || null });
  return html`<nav class="row apart" aria-label=${t("pages")}><button disabled=${offset <= 0} onClick=${() => step(Math.max(0, offset - size))}>${t("before")}</button>
    <span class="soft small n">${t("range", { from: offset + 1, until: Math.min(total, offset + size), total })}</span>
    <button disabled=${offset + size >= total} onClick=${() => step(offset + size)}>${t("after")}</button></nav>`;
}

export const bots = { known: null, load: () => (bots.known ??= api.listBots().then((answer) => answer.bots)) };

/** Says something once, on the screen and to screen readers. */
export function say(text) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (toast.textContent = ""), 6000);
}
