/** A list of any length of which only the rows in sight are drawn, and read, a page at a time. */
import { html, useEffect, useRef, useState } from "./view.js";
import { t } from "./texts.js";
import { Fault } from "./parts.js";

const PAGE = 100;
const SPARE = 8;
/** Browsers end an element at some 33 million pixels; what is older is found by a filter. */
const TALLEST = 15_000_000;

/** `read(offset, limit, signal)` answers `{total, items}`; `row(item)` draws one of `height` pixels. */
export function Window({ read, row, height, label, empty }) {
  const box = useRef();
  const pages = useRef(new Map());
  const [total, setTotal] = useState(null);
  const [fault, setFault] = useState(null);
  const [top, setTop] = useState(0);
  const [, draw] = useState(0);
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const seen = box.current?.clientHeight || 900;
  const from = Math.max(0, Math.floor(top / height) - SPARE);
  const until = Math.min(total ?? 0, Math.ceil((top + seen) / height) + SPARE);
  useEffect(() => {
    const need = (page) => {
      if (pages.current.has(page)) return;
      pages.current.set(page, null);
      read(page * PAGE, PAGE, stop.current.signal).then(
        (answer) => (pages.current.set(page, answer.items), setTotal(answer.total), draw((turn) => turn + 1)),
        (error) => (pages.current.delete(page), error.name === "AbortError" || setFault(error)),
      );
    };
    const timer = setTimeout(() => {
      for (let page = Math.floor(from / PAGE); page <= Math.floor(Math.max(from, until - 1) / PAGE); page += 1) need(page);
    }, total === null ? 0 : 60);
    return () => clearTimeout(timer);
  }, [from, until, fault]);
  if (fault) return html`<${Fault} error=${fault} again=${() => setFault(null)} />`;
  if (total === 0) return empty;
  const shown = Math.min(total ?? 0, Math.floor(TALLEST / height));
  const places = Array.from({ length: Math.max(0, Math.min(until, shown) - from) }, (_, at) => from + at);
  return html`<p class="soft small" role="status">${total === null ? t("loading") : t("rows", { n: total })}</p>
    <div class="window" ref=${box} tabindex="0" role="region" aria-label=${label} onScroll=${(event) => setTop(event.target.scrollTop)}>
      <ol ref=${(list) => list && (list.style.height = `${shown * height}px`)}>${places.map((place) => {
        const item = pages.current.get(Math.floor(place / PAGE))?.[place % PAGE];
        return html`<li key=${place} aria-setsize=${total} aria-posinset=${place + 1} ref=${(one) => one && (Object.assign(one.style, { insetBlockStart: `${place * height}px`, height: `${height}px` }))}>${item ? row(item) : html`<span class="ghost soft">…</span>`}</li>`;
      })}</ol></div>`;
}
